use super::*;

fn keywords(words: &str) -> Keywords {
    let mut keywords = Keywords::default();
    words.split(' ').for_each(|word| keywords.put(word.as_bytes()).unwrap());
    keywords
}

#[test]
fn numbers_are_decoded() {
    assert_eq!(keywords("mode=644"), keywords("mode=0644"));
    assert_eq!(keywords("time=1.5").time, Some(Time { seconds: 1, nanoseconds: 5 }));
    assert_eq!(keywords("time=-2.500000000").time, Some(Time { seconds: -2, nanoseconds: 500_000_000 }));
    assert_eq!(keywords("time=7").time, Some(Time::from_seconds(7)));
    assert_eq!(keywords("tar_time=-2.000000000").tar_time, Some(-2));
    for device in ["0x10010301", "268501761", "native,259,65537", "linux,0x103,65537"] {
        assert_eq!(keywords(&format!("device={device}")).device, Some((259, 65537)), "{device}");
    }
}

#[test]
fn names_of_digests() {
    let hex = "ab".repeat(32);
    for key in ["sha256", "sha256digest"] {
        for prefix in ["", "0x"] {
            let found = keywords(&format!("{key}={prefix}{hex}")).digests;
            assert_eq!(found, [format!("sha256:{hex}").parse().unwrap()]);
        }
    }
    assert_eq!(keywords("md5=00 sha1digest=00").others, ["md5", "sha1digest"].map(String::from).into());
}

#[test]
fn xattrs() {
    let found = keywords(r"xattr.user.sp\040ace=AP8= xattrs.user.a\075b= xattr.user.eq=x=MQ==").xattrs;
    let names: Vec<&[u8]> = found.keys().map(|name| &**name).collect();
    assert_eq!(names, [&b"user.a=b"[..], b"user.eq=x", b"user.sp ace"]);
    assert_eq!(&*found[&b"user.sp ace"[..]], b"\x00\xff");
}

#[test]
fn errors_name_the_expected_value() {
    let error = |word: &str| Keywords::default().put(word.as_bytes()).unwrap_err();
    assert_eq!(error("mode=u+x"), "mode=u+x: not an octal mode up to 07777");
    assert_eq!(error("uid=4294967296"), "uid=4294967296: not a decimal number below 4294967296");
    assert_eq!(error("size=-1"), "size=-1: not a decimal number");
    assert_eq!(error("size=+1"), "size=+1: not a decimal number");
    assert_eq!(
        error("time=1.1000000000"),
        "time=1.1000000000: not seconds, a point, and a number of nanoseconds"
    );
    assert_eq!(error("type=door"), "type=door: not one of file, dir, link, fifo, char, block, socket");
    for word in ["mode=10000", "mode=", "device=native,1", "sha256=abc", "xattr.a=?", r"link=\400", "time=-"]
    {
        assert!(!error(word).is_empty());
    }
}

#[test]
fn keywords_are_forgotten_by_any_name() {
    let mut all =
        keywords("mode=0644 uid=1 sha256=abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd");
    all.forget(b"sha256digest").unwrap();
    all.forget(b"mode").unwrap();
    assert_eq!(all, keywords("uid=1"));
    all.forget(b"all").unwrap();
    assert_eq!(all, Keywords::default());
}
