//! Waits until the journal may have grown: whoever follows it reads on then, and not now and then.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod none;

#[cfg(target_os = "linux")]
pub(crate) use linux::Grown;
#[cfg(not(target_os = "linux"))]
pub(crate) use none::Grown;
