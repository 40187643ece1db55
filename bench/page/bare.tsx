import { useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { taskId } from './address.ts';

// The least that shows the same: a WebSocket, `JSON.parse`, and what the last fact said, at most once a frame. Nothing is checked, folded or kept.
const socket = new WebSocket(`ws://${location.host}/`);
const listeners = new Set<() => void>();
let last = '';
let isAwaited = false;

socket.onopen = () => socket.send(JSON.stringify({ action: 'subscribe', taskId }));
socket.onmessage = ({ data }: MessageEvent<string>) => {
  // Written by our own server.
  const { payload } = JSON.parse(data) as { payload?: { message?: string } };
  last = payload?.message ?? last;
  if (isAwaited) return;
  isAwaited = true;
  requestAnimationFrame(() => {
    isAwaited = false;
    for (const tell of listeners) tell();
  });
};

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

function Shown() {
  return <p>{useSyncExternalStore(subscribe, () => last)}</p>;
}

createRoot(document.body).render(<Shown />);
