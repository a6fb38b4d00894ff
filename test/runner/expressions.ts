import { data, Evaluator, Lexer, Parser } from '@actions/expressions'

/** The scope of `${{ }}`: contexts by name, and the job status for the status functions. */
export interface Scope {
  contexts: Record<string, unknown>
  status: 'success' | 'failure' | 'cancelled'
}

const STATUS_FUNCTIONS = ['success', 'failure', 'cancelled', 'always']

/** The text with its `${{ }}` replaced, as the runner does for `with`, `env`, `run` and `name`. */
export function interpolate(text: string, scope: Scope): string {
  // A literal inside an expression may hold `}}`.
  return text.replace(/\$\{\{((?:'[^']*'|[^'])*?)\}\}/g, (_, expression: string) =>
    evaluate(expression, scope).coerceString(),
  )
}

/** An `if`: success() is implied unless the condition calls a status function. */
export function condition(text: string | undefined, scope: Scope): boolean {
  const inner = /^\s*\$\{\{(.*)\}\}\s*$/s.exec(text ?? '')?.[1] ?? text ?? ''
  const asks = new RegExp(`\\b(${STATUS_FUNCTIONS.join('|')})\\s*\\(`).test(inner)
  const whole = asks ? inner : inner.trim() === '' ? 'success()' : `success() && (${inner})`
  const value = evaluate(whole, scope)
  return !(value.kind === data.Kind.Null || ['', 'false', '0'].includes(value.coerceString()))
}

function evaluate(expression: string, scope: Scope): data.ExpressionData {
  const states: Record<string, boolean> = {
    success: scope.status === 'success',
    failure: scope.status === 'failure',
    cancelled: scope.status === 'cancelled',
    always: true,
  }
  const functions = STATUS_FUNCTIONS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(states[name] ?? false),
  }))
  const { tokens } = new Lexer(expression.trim()).lex()
  const tree = new Parser(tokens, Object.keys(scope.contexts), functions).parse()
  const contexts = JSON.parse(JSON.stringify(scope.contexts), data.reviver) as data.Dictionary
  return new Evaluator(tree, contexts, new Map(functions.map((one) => [one.name, one]))).evaluate()
}
