import { useCallback, useRef, useState } from 'react';
import { TaskBridgeClientError, type StartRequest, type TaskBridgeClient, type UploadProgress } from '../index.ts';
import type { CreateTaskResponse, JsonObject } from '../../machines/wire/index.ts';
import { useTaskBridge } from './provider.ts';

/** How far a start came. */
export type StartState =
  | { readonly status: 'idle'; readonly taskId: null; readonly error: null; readonly upload: null }
  | { readonly status: 'starting'; readonly taskId: null; readonly error: null; readonly upload: UploadProgress | null }
  | { readonly status: 'started'; readonly taskId: string; readonly error: null; readonly upload: UploadProgress | null }
  | { readonly status: 'failed'; readonly taskId: null; readonly error: TaskBridgeClientError; readonly upload: UploadProgress | null };

/** A start on a page. */
export type StartTask = StartState & {
  /**
   * Starts a task, and resolves with its id; while one is being started, a second call means the same. Fails as the state says, and resolves
   * with null then. It goes on where the component is unmounted.
   */
  readonly start: <I extends object = JsonObject>(request: StartRequest<I>) => Promise<string | null>;
  /** Begins anew; what is under way is not shown any more. */
  readonly reset: () => void;
};

const idle: StartState = { status: 'idle', taskId: null, error: null, upload: null };

/** Starts tasks from a component. */
export function useStartTask(client?: TaskBridgeClient): StartTask {
  const { client: used, context, starts } = useTaskBridge(client);
  const [state, setState] = useState<StartState>(idle);
  const running = useRef<Promise<string | null> | undefined>(undefined);

  const reset = useCallback(() => {
    running.current = undefined;
    setState(idle);
  }, []);

  const start = useCallback(
    <I extends object = JsonObject>(request: StartRequest<I>): Promise<string | null> => {
      if (running.current) return running.current;
      let upload: UploadProgress | null = null;
      const show = (next: StartState): void => {
        if (running.current === attempt) setState(next);
      };
      const onUpload = (progress: UploadProgress): void => {
        upload = progress;
        show({ status: 'starting', taskId: null, error: null, upload });
      };
      const attempt: Promise<string | null> = used.start(request, { onUpload, ...(context && { context }) }).then(
        ({ taskId }: CreateTaskResponse) => {
          show({ status: 'started', taskId, error: null, upload });
          starts.note();
          if (running.current === attempt) running.current = undefined;
          return taskId;
        },
        (cause: unknown) => {
          const error =
            cause instanceof TaskBridgeClientError ? cause : new TaskBridgeClientError('NETWORK_ERROR', String(cause), { cause });
          show({ status: 'failed', taskId: null, error, upload });
          if (running.current === attempt) running.current = undefined;
          return null;
        },
      );
      running.current = attempt;
      setState({ status: 'starting', taskId: null, error: null, upload });
      return attempt;
    },
    [used, context, starts],
  );

  return { ...state, start, reset };
}
