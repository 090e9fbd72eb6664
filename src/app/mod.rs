//! The pure core: state, messages, update, settings, the command line.
