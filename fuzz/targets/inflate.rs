//! Hands the inputs of libFuzzer to [`ocicle_fuzz::inflate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ocicle_fuzz::inflate(data));
