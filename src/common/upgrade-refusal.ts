import type { IncomingMessage } from 'node:http'

/**
 * The body of a response that refuses the upgrade to a WebSocket, as far as it arrives in time, and not much more than `maxLength` UTF-16
 * units of it. Never rejects.
 */
export async function readRefusal(response: IncomingMessage, timeoutMs: number, maxLength: number): Promise<string> {
  const timer = setTimeout(() => response.destroy(), timeoutMs)
  let text = ''
  try {
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > maxLength) break
    }
  } catch {
    // the text that has arrived is enough
  }
  clearTimeout(timer)
  return text
}
