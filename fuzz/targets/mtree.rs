//! Hands the inputs of libFuzzer to [`ocicle_fuzz::mtree`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocicle_fuzz::mtree(data));
