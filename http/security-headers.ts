/**
 * Headers of every answer: nothing here is a page, may be guessed to be one, framed, or kept by a cache. A route that
 * knows better (public keys may be cached) sets its own over them.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
});
