use super::*;

fn options(bundle: &str, layers: usize) -> String {
    String::from_utf8(mount_options(bundle.as_bytes(), layers, Namespace::Trusted)).unwrap()
}

#[test]
fn separators_of_options_are_escaped_in_paths() {
    assert_eq!(
        options("/a:b,c\\d", 3),
        "lowerdir=/a\\:b\\,c\\\\d/layers/2:/a\\:b\\,c\\\\d/layers/1:/a\\:b\\,c\\\\d/layers/0,\
         upperdir=/a\\:b\\,c\\\\d/upper,workdir=/a\\:b\\,c\\\\d/work"
    );
}

#[test]
fn an_image_without_layers_has_an_empty_lower_directory() {
    assert_eq!(options("/b", 0), "lowerdir=/b/layers/0,upperdir=/b/upper,workdir=/b/work");
}

#[test]
fn only_root_of_the_machine_writes_trusted_attributes() {
    for privilege in [Privilege::Namespace, Privilege::None] {
        assert!(check(Namespace::User, privilege).is_ok());
        let error = check(Namespace::Trusted, privilege).unwrap_err().to_string();
        assert!(error.contains("--userxattr"), "{error}");
    }
    assert!(check(Namespace::Trusted, Privilege::Full).is_ok());
}
