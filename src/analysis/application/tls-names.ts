/** Alert descriptions by number (RFC 8446, 6; RFC 5246, 7.2; IANA "TLS Alerts"). */
const alertNames: Readonly<Record<number, string>> = {
  0: 'close_notify',
  10: 'unexpected_message',
  20: 'bad_record_mac',
  21: 'decryption_failed',
  22: 'record_overflow',
  30: 'decompression_failure',
  40: 'handshake_failure',
  41: 'no_certificate',
  42: 'bad_certificate',
  43: 'unsupported_certificate',
  44: 'certificate_revoked',
  45: 'certificate_expired',
  46: 'certificate_unknown',
  47: 'illegal_parameter',
  48: 'unknown_ca',
  49: 'access_denied',
  50: 'decode_error',
  51: 'decrypt_error',
  60: 'export_restriction',
  70: 'protocol_version',
  71: 'insufficient_security',
  80: 'internal_error',
  86: 'inappropriate_fallback',
  90: 'user_canceled',
  100: 'no_renegotiation',
  109: 'missing_extension',
  110: 'unsupported_extension',
  111: 'certificate_unobtainable',
  112: 'unrecognized_name',
  113: 'bad_certificate_status_response',
  114: 'bad_certificate_hash_value',
  115: 'unknown_psk_identity',
  116: 'certificate_required',
  120: 'no_application_protocol',
}

/** What an alert means to somebody who does not know TLS; only those that are seen in practice. */
const alertMeanings: Readonly<Record<string, string>> = {
  handshake_failure: 'no common cipher suite or parameters, or a required client certificate is missing',
  bad_certificate: 'the certificate is damaged or does not verify',
  certificate_revoked: 'the certificate was revoked',
  certificate_expired: 'the certificate has expired or is not valid yet',
  certificate_unknown: 'the certificate is not accepted, for example because its name does not match',
  unknown_ca: 'the certificate is signed by a CA that is not trusted',
  access_denied: 'the certificate is valid, but has no access',
  decrypt_error: 'a signature or key does not match',
  protocol_version: 'no common TLS version',
  insufficient_security: 'the offered ciphers are too weak',
  internal_error: 'an error inside of the sender',
  unrecognized_name: 'the server does not know the requested name (SNI)',
  certificate_required: 'the server requires a client certificate (mTLS) and got none',
  no_application_protocol: 'no common application protocol (ALPN)',
}

export function alertName(description: number): string {
  return alertNames[description] ?? String(description)
}

/** undefined for an alert that says nothing more than its name */
export function alertMeaning(name: string): string | undefined {
  return alertMeanings[name]
}

export function alertLevelName(level: number): string {
  if (level === 1) return 'warning'
  return level === 2 ? 'fatal' : String(level)
}

export function versionName(version: number): string {
  if (version === 0x0300) return 'SSL 3.0'
  if (version >= 0x0301 && version <= 0x0304) return `TLS 1.${version - 0x0301}`
  return `0x${version.toString(16).padStart(4, '0')}`
}
