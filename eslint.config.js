import comments from '@eslint-community/eslint-plugin-eslint-comments/configs'
import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import { unitsInNames } from './scripts/lint/units.js'

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules', 'demo'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  comments.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
    rules: {
      // An exception is made in the line that needs it, for one rule, and says why: `-- reason`.
      '@eslint-community/eslint-comments/require-description': 'error',
      '@eslint-community/eslint-comments/no-unlimited-disable': 'error',
      // Text of pods, servers and packets is cleaned of control characters: patterns name them on purpose.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['console', 'process', 'URL', 'Buffer', 'fetch', 'performance'],
          ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
        ].map((name) => [name, false]),
      ),
    },
    rules: {
      'max-lines-per-function': ['error', { max: 80 }],
      complexity: ['error', 15],
      'max-params': ['error', { max: 4 }],
      'no-shadow': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'max-lines-per-function': ['error', { max: 80 }],
      complexity: ['error', 15],
      '@typescript-eslint/max-params': ['error', { max: 4 }],
      '@typescript-eslint/no-shadow': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { local: { rules: { 'units-in-names': unitsInNames } } },
    rules: {
      'local/units-in-names': 'error',
      'max-lines': ['error', { max: 300 }],
      'no-restricted-syntax': [
        'error',
        {
          // dependency-cruiser checks the module boundaries by the path that is written.
          selector: "ImportExpression[source.type!='Literal']",
          message: 'Import a path that is written out: the check of module boundaries reads it',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A describe block is one function and as long as its tests; a fake server is one closure over its state.
      'max-lines-per-function': 'off',
      // A fake answers as the real service does, in one function with a branch for each rule of the service.
      complexity: ['error', 25],
      // A row of it.each is a test's parameters.
      '@typescript-eslint/max-params': ['error', { max: 5 }],
    },
  },
)
