# The Homebrew formula, for a tap of the project's own: brew install OWNER/TAP/tmux-orc
# NOT TRIED: Homebrew was not at hand when this was written; `ruby -c` found no mistake in its form.
class TmuxOrc < Formula
  desc "@DESCRIPTION@"
  homepage "@HOMEPAGE@"
  url "@URL@/tmux-orc-@VERSION@.tar.gz"
  sha256 "@SOURCE_SHA256@"
  license "@LICENSE@"

  depends_on "rust" => :build
  depends_on "tmux"

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"tmux-orc", "completions")
    (man1/"tmux-orc.1").write Utils.safe_popen_read(bin/"tmux-orc", "man")
    pkgshare.install "assets/tmux-orc.tmux", "assets/prometheus", "assets/grafana"
  end

  service do
    run [opt_bin/"tmux-orc", "monitor"]
    keep_alive crashed: true
    environment_variables PATH: std_service_path_env
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/tmux-orc --version")
  end
end
