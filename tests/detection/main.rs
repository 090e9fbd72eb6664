//! Detection, judged by screens of the real programs that were recorded in known states.

mod table;
