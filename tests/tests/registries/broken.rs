//! Connections that break while an image is sent.

use ocicle_tests::{
    handmade::{self, Archive, Layer},
    ocicle::{at, ocicle, text},
    recorder::Recorder,
    registry::{Protection, Registry},
};

#[test]
fn a_push_that_breaks_goes_on() {
    let Some(registry) = Registry::start(Protection::None) else { return };
    let layout = registry.path("layout");
    // One layer is sent in two parts, the other at once.
    let layer = |name, lines| Layer::plain(Archive::new().file(name, &"content\n".repeat(lines)).end());
    handmade::layout(&layout, &[layer("large", 1_100_000), layer("small", 10_000)]);
    for method in ["patch", "put"] {
        let recorder = Recorder::cutting(registry.port(), if method == "put" { "PUT" } else { "PATCH" });
        registry.run(["copy", &at(&layout, "t"), &format!("docker://{}/{method}:v1", recorder.host())]);
        // The registry forgot the upload, so that it was started anew.
        let starts = recorder.requests().iter().filter(|request| request.starts_with("POST ")).count();
        assert_eq!(starts, 4, "{method}");
        let back = registry.path(method);
        registry.run(["copy", &registry.at(&format!("{method}:v1")), &format!("oci:{}", text(&back))]);
        ocicle(["check", text(&back)]);
        assert_eq!(registry.digest(&at(&back, "v1")), registry.digest(&at(&layout, "t")), "{method}");
    }
}
