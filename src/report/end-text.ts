import type { Endpoint } from '../analysis/decoded-packet.ts'
import { endpointText } from '../analysis/findings/wording.ts'

/** "payments-7f9:8080", "10.0.0.1:80", or without the port where it is not known (0). */
export function endText(end: Endpoint): string {
  return end.port === 0 ? end.address : endpointText(end)
}
