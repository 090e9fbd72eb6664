//! The roles of a theme, in one list: what a theme's file says the look of, and what the dashboard has styles for.

/// Hands the roles, each with its documentation, to a macro.
macro_rules! with_roles {
    ($callback:ident) => {
        $callback! {
                    /// Words.
                    text,
                    /// Words of less weight: labels, column heads, hints.
                    muted,
                    /// What should be nearly unseen: rests of gauges, separators.
                    faint,
                    /// Borders.
                    border,
                    /// Border of the panel that has the focus.
                    focus,
                    /// Titles of panels.
                    title,
                    /// Values in the instruments.
                    value,
                    /// Names of keys.
                    key,
                    /// An agent that needs its user.
                    needs_you,
                    /// An agent whose turn ended in an error.
                    error,
                    /// An agent held by a limit.
                    limited,
                    /// An agent that is gone.
                    exited,
                    /// An agent that shows nothing recognised.
                    unknown,
                    /// An agent that has just started.
                    starting,
                    /// An agent at work.
                    working,
                    /// An agent whose turn ended, unseen.
                    done,
                    /// An agent at its prompt.
                    idle,
                    /// The row under the cursor.
                    select,
                    /// The filled part of a gauge, and sparklines.
                    gauge,
                    /// Mark of a change in the history.
                    mark,
                    /// Better than it was.
                    good,
                    /// Past a threshold.
                    warn,
                    /// Far past it, or failed.
                    bad,
                    /// What was asked for and is not confirmed.
                    pending,
                    /// An overlay's ground.
                    overlay,
                    /// The ground of all; the terminal's own unless the theme gives one.
                    ground,
        }
    };
}
pub(crate) use with_roles;

macro_rules! names {
    ($($(#[$doc:meta])* $role:ident,)*) => {
        /// The names of the roles.
        pub const ROLES: &[&str] = &[$(stringify!($role),)*];
    };
}
with_roles!(names);
