import { actionSchemasOf, type ContractType, type QuestionDescription, type TaskTypeDescription } from '../../machines/contract/index.ts';
import type { JsonObject } from '../../machines/wire/index.ts';

/** What a caller is told of a type that he may create. */
export function describedType(taskType: string, type: ContractType | undefined): TaskTypeDescription {
  if (!type) return { taskType };
  const { input, result, questions, parts } = type;
  const described = [...questions.values()].map((question): readonly [string, QuestionDescription] => [
    question.name,
    {
      reasonCode: question.reasonCode,
      ...(question.interaction && { interaction: question.interaction.jsonSchema }),
      // Each of its values is a schema, and that an object.
      actions: actionSchemasOf(question) as Readonly<Record<string, JsonObject>>,
    },
  ]);
  return {
    taskType,
    ...(input && { input: input.jsonSchema }),
    ...(result && { result: result.jsonSchema }),
    ...(described.length > 0 && { questions: Object.fromEntries(described) }),
    ...(parts && { parts: Object.fromEntries(parts) }),
  };
}
