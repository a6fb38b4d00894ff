import ts from 'typescript'

const nouns =
  'timeout|delay|duration|interval|grace|lifetime|age|backoff|pause|hold|silence|deadline|expiry|size|limit|quota'
const capitalised = nouns.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
/** A time or a size: `grace`, `closeGrace`, but not `message`. */
const quantity = new RegExp(`^(${nouns})$|(${capitalised})$`)
/** A bound of something: `maxLine`, `longestDelay`. */
const bound = /^(max|min|longest|shortest|most|least|largest|smallest)[A-Z]/
// A length is in UTF-16 units, as String.prototype.length is, or in bytes for a Buffer.
const unit = /(Ms|Us|Ns|Seconds|Minutes|Hours|Days|Bytes|Bits|Characters|Chars|Length|Count|Lines|Packets)$/

/** A number of time or size has its unit in its name: graceMs, holdSeconds, maxLineBytes, maxAttemptsCount. Reads the types. */
export const unitsInNames = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      unit: 'The number "{{name}}" has no unit in its name: {{name}}Ms, {{name}}Seconds, {{name}}Bytes or {{name}}Count',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices
    const checker = services.program.getTypeChecker()
    const isNumber = (node) => {
      const type = checker.getNonNullableType(services.getTypeAtLocation(node))
      const parts = type.isUnion() ? type.types : [type]
      return parts.length > 0 && parts.every(({ flags }) => (flags & ts.TypeFlags.NumberLike) !== 0)
    }
    const check = (name) => {
      if (name?.type !== 'Identifier') return
      if (!(quantity.test(name.name) || bound.test(name.name)) || unit.test(name.name)) return
      if (isNumber(name)) context.report({ node: name, messageId: 'unit', data: { name: name.name } })
    }
    const checkParameters = ({ params }) => {
      for (const parameter of params) check(parameter.type === 'AssignmentPattern' ? parameter.left : parameter)
    }
    return {
      VariableDeclarator: ({ id }) => check(id),
      PropertyDefinition: ({ key }) => check(key),
      TSPropertySignature: ({ key }) => check(key),
      FunctionDeclaration: checkParameters,
      FunctionExpression: checkParameters,
      ArrowFunctionExpression: checkParameters,
      TSFunctionType: checkParameters,
      TSMethodSignature: checkParameters,
    }
  },
}
