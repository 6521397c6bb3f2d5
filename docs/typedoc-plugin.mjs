import { Converter } from 'typedoc';

/** Members that are keyed by symbols of the package's own: no program can name them. */
const OWN_SYMBOLS = new Set(['[shape]', '[definitionKey]', '[customInspect]']);

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const hidden = Object.values(project.reflections).filter(({ name }) => OWN_SYMBOLS.has(name));
    for (const reflection of hidden) project.removeReflection(reflection);
  });
}
