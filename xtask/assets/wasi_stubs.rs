//! Functions of newer versions of wasi-libc, which Rust's standard library uses and Debian's version lacks.
//! The sandbox has no such operations anyway: each returns "not supported", as the newer library does.
//!
//! Not part of a crate: set-up compiles this file alone and merges it into the start-up objects.
#![no_std]
#![allow(missing_docs, clippy::missing_safety_doc, clippy::not_unsafe_ptr_arg_deref)]

use core::ffi::{c_char, c_int, c_void};

/// `ENOTSUP` of wasi-libc.
const ENOTSUP: c_int = 58;

unsafe extern "C" {
    /// The error number; there are no threads, so the program has one.
    static mut errno: c_int;
}

fn refuse() -> c_int {
    unsafe { errno = ENOTSUP };
    -1
}

#[unsafe(no_mangle)]
pub extern "C" fn __errno_location() -> *mut c_int {
    &raw mut errno
}

#[unsafe(no_mangle)]
pub extern "C" fn chmod(_path: *const c_char, _mode: u32) -> c_int {
    refuse()
}

#[unsafe(no_mangle)]
pub extern "C" fn fchmod(_file: c_int, _mode: u32) -> c_int {
    refuse()
}

#[unsafe(no_mangle)]
pub extern "C" fn realpath(_path: *const c_char, _resolved: *mut c_char) -> *mut c_char {
    refuse();
    core::ptr::null_mut()
}

// These return the error instead of setting `errno`.

#[unsafe(no_mangle)]
pub extern "C" fn pthread_create(
    _thread: *mut c_void,
    _attributes: *const c_void,
    _start: *mut c_void,
    _argument: *mut c_void,
) -> c_int {
    ENOTSUP
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_join(_thread: *mut c_void, _value: *mut *mut c_void) -> c_int {
    ENOTSUP
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_detach(_thread: *mut c_void) -> c_int {
    ENOTSUP
}

// Preparing a thread must succeed for its creation to be what fails.

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_init(_attributes: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_destroy(_attributes: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn pthread_attr_setstacksize(_attributes: *mut c_void, _size: usize) -> c_int {
    0
}
