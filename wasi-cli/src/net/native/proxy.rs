//! The proxy for a host, as the environment says: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`,
//! and the same in lower case, which goes before. This machine is reached without one.

use std::net::IpAddr;

use ocicle::remote::Url;

use super::environment::Environment;

/// Returns the variable that names the proxy for an address, and its value.
pub(crate) fn proxy_for<'a>(url: &Url, environment: &'a Environment) -> Option<(&'static str, &'a str)> {
    let names = match url.is_https() {
        true => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        false => ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
    };
    let (name, proxy) = names.into_iter().find_map(|name| Some((name, environment.text(name)?)))?;
    let exceptions = environment.text("no_proxy").or_else(|| environment.text("NO_PROXY")).unwrap_or("");
    let excepted = exceptions.split(',').any(|exception| matches(exception.trim(), url));
    (!excepted && !url.is_loopback()).then_some((name, proxy))
}

/// Returns whether an entry of `NO_PROXY` means a host: `*`, a name with everything below it, an address, a
/// range of addresses (`10.0.0.0/8`); a port may follow.
fn matches(exception: &str, url: &Url) -> bool {
    let host = url.host().trim_start_matches('[').trim_end_matches(']');
    if exception.is_empty() {
        return false;
    }
    if exception == "*" {
        return true;
    }
    if let Some((network, bits)) = exception.split_once('/') {
        let parsed = (network.parse(), bits.parse(), host.parse());
        return matches!(parsed, (Ok(network), Ok(bits), Ok(host)) if in_network(network, bits, host));
    }
    if let (Ok(exception), Ok(host)) =
        (exception.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>(), host.parse::<IpAddr>())
    {
        return exception == host;
    }
    let (name, port) = match exception.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (exception, None),
    };
    if port.is_some_and(|port| port.parse() != Ok(url.port())) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']').trim_start_matches("*.");
    let name = name.trim_start_matches('.').to_ascii_lowercase();
    host == name || host.strip_suffix(&name).is_some_and(|above| above.ends_with('.'))
}

/// Returns whether the first bits of two addresses are the same.
fn in_network(network: IpAddr, bits: u32, host: IpAddr) -> bool {
    match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) if bits <= 32 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), IpAddr::V6(host)) if bits <= 128 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]

    use std::path::Path;

    use super::*;

    fn proxy(url: &str, variables: &[(&str, &str)]) -> Option<String> {
        let environment = Environment::of(variables, Path::new("/nowhere"));
        proxy_for(&url.parse().unwrap(), &environment).map(|(name, proxy)| format!("{name} {proxy}"))
    }

    #[test]
    fn the_scheme_decides() {
        let all = [("HTTPS_PROXY", "s"), ("HTTP_PROXY", "h"), ("ALL_PROXY", "a")];
        assert_eq!(proxy("https://e.com", &all).unwrap(), "HTTPS_PROXY s");
        assert_eq!(proxy("http://e.com", &all).unwrap(), "HTTP_PROXY h");
        assert_eq!(proxy("http://e.com", &[all[0], all[2]]).unwrap(), "ALL_PROXY a");
        assert_eq!(proxy("http://e.com", &[all[1], ("http_proxy", "l")]).unwrap(), "http_proxy l");
        assert_eq!(proxy("http://e.com", &[all[0], ("HTTP_PROXY", "")]), None);
        assert_eq!(proxy("https://localhost:5000", &all), None);
        assert_eq!(proxy("https://[::1]", &all), None);
    }

    #[test]
    fn exceptions() {
        for (exception, url, excepted) in [
            ("*", "https://a.com", true),
            ("a.com", "https://a.com", true),
            ("A.com", "https://b.a.com", true),
            ("a.com", "https://ba.com", false),
            (".a.com", "https://b.a.com", true),
            ("*.a.com", "https://b.a.com", true),
            ("x, a.com ,y", "https://a.com", true),
            ("a.com:5000", "https://a.com:5000", true),
            ("a.com:5000", "https://a.com", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("10.0.0.0/99", "https://10.0.0.0", false),
            ("10.0.0.1", "https://10.0.0.1:5000", true),
            ("fd00::/8", "https://[fd00::5]", true),
            ("fd00::5", "https://[fd00::5]:1", true),
            ("", "https://a.com", false),
            (".", "https://a.com", false),
        ] {
            let found = proxy(url, &[("ALL_PROXY", "p"), ("no_proxy", exception)]);
            assert_eq!(found.is_none(), excepted, "{exception} {url}");
        }
    }
}
