//! The challenges of a server: `www-authenticate` (RFC 9110, section 11.6.1).

/// A challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// Where to get a token, and what it must allow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bearer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    pub(super) scope: Option<String>,
}

/// Returns the best challenge of all headers of a response: a token rather than a password.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        for (scheme, parameters) in challenges(header) {
            let get =
                |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            match (scheme.as_str(), get("realm")) {
                ("bearer", Some(realm)) => {
                    let bearer = Bearer { realm, service: get("service"), scope: get("scope") };
                    return Some(Challenge::Bearer(bearer));
                }
                ("basic", _) => basic = Some(Challenge::Basic),
                _ => {}
            }
        }
    }
    basic
}

type Parameters = Vec<(String, String)>;

/// Splits a header, which may have several challenges, into schemes and parameters.
fn challenges(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '=', ',', '\t']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        let word = word.to_ascii_lowercase();
        let value = after.trim_start().strip_prefix('=');
        match (value, found.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let (value, after) = quoted_or_token(value.trim_start());
                parameters.push((word, value));
                rest = after;
            }
            (Some(_), None) => return found,
            (None, _) => {
                found.push((word, Vec::new()));
                rest = after;
            }
        }
    }
}

fn quoted_or_token(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.into(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, char)| char)),
            char => value.push(char),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let [service, scope] = [service, scope].map(|text| text.map(Into::into));
        Some(Challenge::Bearer(Bearer { realm: realm.into(), service, scope }))
    }

    #[test]
    fn headers_of_registries() {
        let parse = |headers: &[&str]| parse(headers.iter().copied());
        assert_eq!(
            parse(&[r#"Bearer realm="https://a/t",service="r",scope="repository:b:pull,push""#]),
            bearer("https://a/t", Some("r"), Some("repository:b:pull,push"))
        );
        assert_eq!(parse(&[r#"Basic realm="x, y""#]), Some(Challenge::Basic));
        assert_eq!(parse(&["basic"]), Some(Challenge::Basic));
        assert_eq!(
            parse(&[r#"Basic realm="x", bEARER  Realm = "a\"b" , error=invalid"#]),
            bearer("a\"b", None, None)
        );
        assert_eq!(parse(&["Basic realm=x", "Bearer realm=https://a/t"]), bearer("https://a/t", None, None));
        for odd in ["", "Negotiate", "Bearer", "Bearer service=x", "=", "a=b", "Bearer realm", ",,,", "\""] {
            assert_eq!(parse(&[odd]), None, "{odd}");
        }
        assert_eq!(parse(&[r#"Bearer realm="unfinished"#]), bearer("unfinished", None, None));
    }
}
