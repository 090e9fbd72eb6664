# tmux-orc for Nix, built from this checkout: `nix run .`, `nix build .`, `nix profile install .`.
# NOT BUILT with Nix yet: no nixpkgs could be had where it was written, it was read and evaluated against a stand-in. For the
# same reason there is no flake.lock: the first `nix build` writes it.
{
  description = "Watches every AI coding agent in your tmux panes and tells which one needs you";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs = { self, nixpkgs }:
    let
      about = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = about.name;
          version = about.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # They want tmux servers, ps and git of their own: `make test` in `nix develop` runs them.
          doCheck = false;
          postInstall = ''
            $out/bin/tmux-orc man > tmux-orc.1
            installManPage tmux-orc.1
            for shell in bash zsh fish; do $out/bin/tmux-orc completions $shell > tmux-orc.$shell; done
            installShellCompletion tmux-orc.{bash,zsh,fish}
            install -Dm755 assets/tmux-orc.tmux $out/share/tmux-orc/tmux-orc.tmux
          '';
          meta = {
            description = about.description;
            license = pkgs.lib.licenses.mit;
            mainProgram = "tmux-orc";
          };
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          packages = with pkgs; [ cargo rustc clippy rustfmt tmux git procps ];
        };
      });
    };
}
