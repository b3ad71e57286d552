use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;

use super::{BLOCK, GzipWriter, is_noise};

fn compress(input: &[u8], threads: usize, piece: usize) -> Vec<u8> {
    let mut writer = GzipWriter::new(Vec::new(), threads).unwrap();
    for piece in input.chunks(piece) {
        writer.write_all(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

#[test]
fn output_does_not_depend_on_threads_or_chunks() {
    let text: Vec<u8> =
        b"a layer is a stream of changes; ".iter().copied().cycle().take(3 * BLOCK + 17).collect();
    for input in [&b""[..], b"x", &text[..BLOCK], &text, &noise(2 * BLOCK + 5)] {
        let one = compress(input, 1, input.len().max(1));
        let mut back = Vec::new();
        GzDecoder::new(&one[..]).read_to_end(&mut back).unwrap();
        assert!(back == input);
        for (threads, piece) in [(1, 1000), (2, 100_000), (5, 777)] {
            assert!(compress(input, threads, piece) == one, "{threads} threads");
        }
    }
}

#[cfg(feature = "parallel")]
#[test]
fn output_does_not_depend_on_how_many_threads_can_start() {
    use std::cell::Cell;

    let text = b"a layer is a stream of changes; ".repeat(3 * BLOCK / 32 + 1);
    let expected = compress(&text, 1, text.len());
    for most in [0, 1] {
        let started = Cell::new(0);
        let workers = super::workers::Workers::started_by(4, |work| {
            if started.replace(started.get() + 1) >= most {
                return Err(std::io::ErrorKind::WouldBlock.into()); // EAGAIN
            }
            std::thread::spawn(work);
            Ok(())
        });
        assert_eq!(workers.is_some(), most > 0);
        let mut writer = GzipWriter::new(Vec::new(), 4).unwrap();
        writer.workers = workers;
        writer.write_all(&text).unwrap();
        assert!(writer.finish().unwrap() == expected, "{most} threads");
    }
}

#[test]
fn noise_is_stored_and_what_repeats_is_not() {
    let input = noise(2 * BLOCK + 70_000);
    assert!(is_noise(&input[..BLOCK]));
    let made = compress(&input, 2, 1000);
    assert!(made.len() < input.len() + 100, "{}", made.len());
    // Every byte is equally frequent, and yet the block is highly regular.
    let table: Vec<u8> = (0..=255).cycle().take(BLOCK).collect();
    assert!(!is_noise(&table));
    assert!(compress(&table, 1, BLOCK).len() < 3000);
    assert!(!is_noise(&vec![0; BLOCK]));
    // Text between noise refers to words before the noise.
    let mixed = [&noise(BLOCK)[..], &b"text ".repeat(100), &noise(BLOCK)].concat();
    let mut back = Vec::new();
    GzDecoder::new(&compress(&mixed, 3, 4096)[..]).read_to_end(&mut back).unwrap();
    assert!(back == mixed);
}

#[test]
fn blocks_use_the_preceding_window() {
    let input = noise(WINDOW_AND_A_HALF).repeat(20);
    assert!(compress(&input, 1, input.len()).len() < input.len() / 10);
}

const WINDOW_AND_A_HALF: usize = 20 << 10;

#[test]
fn the_header_has_no_name_and_no_time() {
    assert_eq!(compress(b"", 1, 1), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}
