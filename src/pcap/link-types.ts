/** Names of the link types that occur in captures of pods and nodes: https://www.tcpdump.org/linktypes.html */
const names = new Map([
  [0, 'NULL'],
  [1, 'EN10MB'],
  [9, 'PPP'],
  [12, 'RAW'],
  [14, 'RAW'],
  [101, 'RAW'],
  [105, 'IEEE802_11'],
  [108, 'LOOP'],
  [113, 'LINUX_SLL'],
  [228, 'IPV4'],
  [229, 'IPV6'],
  [239, 'NFLOG'],
  [276, 'LINUX_SLL2'],
])

/** The name without "LINKTYPE_", or the number as text where it has none here. */
export function linkTypeName(linkType: number): string {
  return names.get(linkType) ?? String(linkType)
}
