import { readFileSync } from 'node:fs';
import { type DefaultTheme, defineConfig } from 'vitepress';

const reference = new URL('../reference/typedoc-sidebar.json', import.meta.url);

export default defineConfig({
  title: 'data-bridge',
  description: 'A MongoDB document mapper for TypeScript whose documents know what changed',
  lang: 'en',
  cleanUrls: true,
  srcExclude: ['README.md'],
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
            { text: 'How it works', link: '/guide/how-it-works' },
          ],
        },
        {
          text: 'Documents',
          items: [
            { text: 'The model', link: '/guide/model' },
            { text: 'Tracking and saving', link: '/guide/saving' },
            { text: 'Queries', link: '/guide/queries' },
            { text: 'Validation', link: '/guide/validation' },
            { text: 'Errors', link: '/guide/errors' },
          ],
        },
        {
          text: 'Beside the database',
          items: [
            { text: 'Testing your application', link: '/guide/testing' },
            { text: 'The embedded server', link: '/guide/embedded' },
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
