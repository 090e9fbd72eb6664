//! The terminal: event loop, layout, panels, themes.
