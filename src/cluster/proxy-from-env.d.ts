declare module 'proxy-from-env' {
  /** The proxy of HTTPS_PROXY, HTTP_PROXY or ALL_PROXY for a URL, '' where NO_PROXY or nothing says so. */
  export function getProxyForUrl(url: string): string
}
