import { readFileSync } from 'node:fs';
import { type DefaultTheme, defineConfig, type MarkdownRenderer } from 'vitepress';

const reference = new URL('../reference/typedoc-sidebar.json', import.meta.url);

export default defineConfig({
  title: 'data-bridge',
  description: 'A MongoDB document mapper for TypeScript whose documents know what changed',
  lang: 'en',
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: '/favicon.svg' }]],
  markdown: { config: labelCells },
  // The index of the search, in kB: it is loaded when somebody searches.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/getting-started', activeMatch: '/guide/' },
      { text: 'Reference', link: '/reference/', activeMatch: '/reference/' },
    ],
    sidebar: {
      '/guide/': [
        {
          text: 'First steps',
          items: [
            { text: 'Getting started', link: '/guide/getting-started' },
            { text: 'Examples', link: '/guide/examples' },
            { text: 'How it works', link: '/guide/how-it-works' },
          ],
        },
        {
          text: 'Documents',
          items: [
            { text: 'The model', link: '/guide/model' },
            { text: 'Relations', link: '/guide/relations' },
            { text: 'Hierarchies', link: '/guide/hierarchies' },
            { text: 'Tracking and saving', link: '/guide/saving' },
            { text: 'Hooks', link: '/guide/hooks' },
            { text: 'Extensions', link: '/guide/extensions' },
            { text: 'When two people save', link: '/guide/concurrency' },
            { text: 'History and undo', link: '/guide/history' },
            { text: 'Queries', link: '/guide/queries' },
            { text: 'Aggregation', link: '/guide/aggregation' },
            { text: 'Many at once', link: '/guide/bulk' },
            { text: 'Transactions', link: '/guide/transactions' },
            { text: 'Watching changes', link: '/guide/changes' },
            { text: 'Validation', link: '/guide/validation' },
            { text: 'Indexes and validators', link: '/guide/indexes-and-validators' },
            { text: 'Input from outside', link: '/guide/input' },
            { text: 'Errors', link: '/guide/errors' },
          ],
        },
        {
          text: 'Beside the database',
          items: [
            { text: 'Testing your application', link: '/guide/testing' },
            { text: 'Seeing what is sent', link: '/guide/logging' },
            { text: 'The embedded server', link: '/guide/embedded' },
            { text: 'Scale out', link: '/guide/scale-out' },
            { text: 'How fast it is', link: '/guide/speed' },
          ],
        },
      ],
      '/reference/': JSON.parse(readFileSync(reference, 'utf8')) as DefaultTheme.SidebarItem[],
    },
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'MIT licence' },
  },
});

/** Gives each cell of a table the heading of its column, which a narrow window shows beside it. */
function labelCells(md: MarkdownRenderer): void {
  md.core.ruler.push('label_cells', ({ tokens }) => {
    let headings: string[] = [];
    let column = 0;
    tokens.forEach((token, i) => {
      if (token.type === 'table_open') headings = [];
      else if (token.type === 'th_open') headings.push(tokens[i + 1]?.content ?? '');
      else if (token.type === 'tr_open') column = 0;
      else if (token.type === 'td_open') token.attrSet('data-label', headings[column++] ?? '');
    });
  });
}
