import { Converter } from 'typedoc';

/** Members that are keyed by symbols of the package's own: no program can name them. */
const OWN_SYMBOLS = new Set(['[shape]', '[definitionKey]', '[customInspect]', '[unstorable]']);

/** A base class that no program can name: what is inherited from it is shown as a member of the class itself. */
const INNER_BASE = 'TrackedDocument';

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const hidden = Object.values(project.reflections).filter(({ name }) => OWN_SYMBOLS.has(name));
    for (const reflection of hidden) project.removeReflection(reflection);
  });
  app.converter.on(Converter.EVENT_END, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.inheritedFrom?.name.startsWith(`${INNER_BASE}.`)) delete reflection.inheritedFrom;
      const isInner = (type) => type.name === INNER_BASE;
      if (reflection.extendedTypes?.some(isInner)) delete reflection.extendedTypes;
      if (reflection.typeHierarchy?.types.some(isInner)) delete reflection.typeHierarchy;
    }
  });
}
