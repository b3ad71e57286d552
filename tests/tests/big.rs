#[test]
fn make() {
    let t = std::time::Instant::now();
    println!("{:?} {:?}", ocicle_tests::large::big(), t.elapsed());
    let t = std::time::Instant::now();
    println!("{:?} {:?}", ocicle_tests::large::many(), t.elapsed());
}
