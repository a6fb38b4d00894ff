import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { marked } from 'marked'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Lack, needsProgram } from './needs.ts'
import { isExecutable } from './processes.ts'

const modules = join(import.meta.dirname, '../../node_modules')
const executablePath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find(isExecutable)

export const needsChromium: Lack = executablePath === undefined ? needsProgram('chromium') : undefined

/** The Chromium of this machine, without a window. It shows pages of this process only, so it needs no sandbox of its own. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({ args: ['--no-sandbox'], ...(executablePath === undefined ? {} : { executablePath }) })
}

/**
 * Shows a job summary as GitHub does: with GitHub's style sheet, in a box with the margins of its page. Mermaid blocks stay code. The page has
 * no scripts.
 */
export async function showSummary(
  page: Page,
  markdown: string,
  size: { width: number; height: number },
): Promise<void> {
  await page.setViewportSize(size)
  await page.setContent(summaryHtml(markdown))
}

function summaryHtml(markdown: string): string {
  const style = readFileSync(join(modules, 'github-markdown-css/github-markdown-light.css'), 'utf8')
  return `<!doctype html><html><head><meta name="viewport" content="width=device-width"><style>${style}
    body { margin: 16px auto; padding: 0 16px; max-width: 1012px; background: #fff }
    .box { border: 1px solid #d1d9e0; border-radius: 6px; padding: 16px }
    </style></head><body><div class="box"><article class="markdown-body">${withAlerts(renderMarkdown(markdown))}</article></div></body></html>`
}

function renderMarkdown(markdown: string): string {
  return marked.parse(markdown, { gfm: true, async: false })
}

/** `> [!TIP]`, which is GitHub's own. */
function withAlerts(html: string): string {
  return html.replace(
    /<blockquote>\s*<p>\[!(TIP|NOTE|WARNING)\]\s*([^]*?)<\/blockquote>/g,
    (_whole, kind: string, content: string) =>
      `<div class="markdown-alert markdown-alert-${kind.toLowerCase()}"><p class="markdown-alert-title">${kind}</p><p>${content}</div>`,
  )
}

/** The errors of Mermaid about the blocks of the summary; none: all can be drawn. `draw`: replaces them with their drawings, as GitHub does. */
export async function mermaidErrors(page: Page, draw: boolean): Promise<string[]> {
  await page.addScriptTag({ path: join(modules, 'mermaid/dist/mermaid.min.js') })
  return page.evaluate<string[]>(`(async () => {
    mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' })
    const errors = []
    for (const [index, code] of [...document.querySelectorAll('code.language-mermaid')].entries()) {
      try {
        await mermaid.parse(code.textContent)
        if (!${draw}) continue
        const { svg } = await mermaid.render('drawing' + index, code.textContent)
        code.parentElement.outerHTML = '<div>' + svg + '</div>'
      } catch (error) {
        errors.push(String(error))
      }
    }
    return errors
  })()`)
}
