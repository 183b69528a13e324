// What the compiler does not see: promises that nobody waits for, effects that miss what they read, `any`.
import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

// Words for people that no translator sees. What is typed, such as `%pip install nbreg`, is the same in all languages.
const WORDS = '/^(?![%~\\\\/]|pip |https?:)[^@=]*[A-Za-z]{2}/';
const untranslated = [
  ['JSXText[value=/[A-Za-z]{2}/]', 'text of the page'],
  ['JSXAttribute[name.name=/^(title|aria-label|alt|label|verb|told)$/] > Literal', 'what an element is called'],
  ['JSXAttribute[name.name="rows"] ArrayExpression > ArrayExpression > Literal:first-child', 'the name of a fact'],
  [`NewExpression[callee.name="Refusal"] > Literal.arguments:not(:first-child)[value=${WORDS}]`, 'a refusal'],
  [`NewExpression[callee.name="Refusal"] > TemplateLiteral[quasis.0.value.raw=${WORDS}]`, 'a refusal'],
  ['CallExpression[callee.name=/^(setSaid|tellDone)$/] > Literal', 'what was done'],
  ['Property[key.name=/^(label|caption|title)$/] > Literal.value', 'what a command is called']
].map(([selector, what]) => ({ selector, message: `${what} goes through a translator: trans.__(…)` }));

export default defineConfig(
  { ignores: ['src/contract.ts'] }, // written by tools/contract.py
  typescript.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { 'react-hooks': hooks },
    rules: {
      'no-restricted-syntax': ['error', ...untranslated],
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }], // as event handlers are written
      '@typescript-eslint/no-base-to-string': 'off', // what a saved output holds may be anything, and is shown
      '@typescript-eslint/no-confusing-void-expression': 'off', // `() => node.remove()` confuses nobody
      '@typescript-eslint/no-deprecated': 'off', // JSX.Element, as JupyterLab 4 writes it
      '@typescript-eslint/no-namespace': 'off', // for options, as JupyterLab does
      '@typescript-eslint/no-redundant-type-constituents': 'off', // 'all' | string says what is meant
      '@typescript-eslint/no-unnecessary-condition': 'off', // a server of another release may send less than its type says
      '@typescript-eslint/no-unnecessary-type-conversion': 'off', // as above, of what was thrown
      '@typescript-eslint/require-await': 'off', // a promise is what the interface wants
      '@typescript-eslint/unbound-method': 'off', // Lumino connects a method and its object
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off' // Refusal.of takes anything
    }
  }
);
