/** Stands for an actor that nobody provided: throws, and says which. */
export const stub = (name: string) => (): never => {
  throw new Error(`The actor "${name}" was not provided. Fill it with machine.provide({ actors: { ${name} } }).`);
};
