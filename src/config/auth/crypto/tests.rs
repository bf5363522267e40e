#![expect(clippy::string_slice, reason = "a test fails by a panic")]

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The payload of RFC 7515, appendices A.1 to A.3.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// Whether this key made a signature over `header.payload`.
fn verified((header, payload, signature): (&str, &str, &str), key: &Verifier) -> bool {
    key.made(&decoded(signature), format!("{header}.{payload}").as_bytes())
}

#[test]
fn the_examples_of_the_rfcs_verify_and_their_changes_do_not() {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let (x, y) = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    let edwards = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    for (name, key, token) in [
        (
            "RFC 7515, A.1",
            Verifier::secret(&decoded(secret)),
            (
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
                PAYLOAD,
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
        ),
        (
            "RFC 7515, A.2",
            Verifier::rsa(&decoded(modulus), &decoded("AQAB")),
            (
                "eyJhbGciOiJSUzI1NiJ9",
                PAYLOAD,
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            ),
        ),
        (
            "RFC 7515, A.3",
            Verifier::p256(&decoded(x), &decoded(y)),
            (
                "eyJhbGciOiJFUzI1NiJ9",
                PAYLOAD,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
        ),
        (
            "RFC 8037, A.4",
            Verifier::ed25519(&decoded(edwards)),
            (
                "eyJhbGciOiJFZERTQSJ9",
                "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ),
    ] {
        let key = key.unwrap();
        assert!(verified(token, &key), "{name}");
        let (header, payload, signature) = token;
        for changed in [
            (header, &payload[4..], signature),
            (&header[4..], payload, signature),
            (header, payload, &signature[4..]),
            (header, payload, &signature[..signature.len() / 4 * 4]),
            (header, payload, ""),
        ] {
            assert!(!verified(changed, &key), "{name}: {changed:?}");
        }
    }
}

#[test]
fn a_weak_point_is_no_key() {
    // The neutral element, which signs everything with one signature.
    assert!(Verifier::ed25519(&[&[1][..], &[0; 31]].concat()).is_none());
}
