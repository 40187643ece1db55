import { useState, type ReactElement } from 'react';
import { useStartTask } from 'taskbridge/react';
import { goTo } from '../address.ts';
import { useDemo } from '../demo.tsx';
import { DropZone } from './drop-zone.tsx';
import { RecentList } from './recent-list.tsx';
import { UploadBar } from './upload-bar.tsx';

const paces = [
  { seconds: 0, label: 'as fast as it goes' },
  { seconds: 5, label: '5 seconds a pass' },
  { seconds: 20, label: '20 seconds a pass, to play with the network' },
  { seconds: 90, label: '90 seconds a pass' },
] as const;

/** Takes a file and starts a report of it. */
export function StartPage(): ReactElement {
  const { recent } = useDemo();
  const { start, status, upload, error, reset } = useStartTask();
  const [pace, setPace] = useState(20);
  const [fileName, setFileName] = useState('');

  async function begin(file: File): Promise<void> {
    setFileName(file.name);
    const taskId = await start({
      taskType: 'report.build',
      input: { findingsMax: 15, paceSeconds: pace },
      attachments: [{ fileName: file.name, contentType: 'text/csv', content: file }],
    });
    if (taskId === null) return;
    recent.add({ taskId, fileName: file.name, startedAt: Date.now() });
    goTo(taskId);
  }

  async function beginWithSample(): Promise<void> {
    const response = await fetch('/demo/orders.csv');
    await begin(new File([await response.blob()], 'orders.csv', { type: 'text/csv' }));
  }

  return (
    <div className="start">
      <h1>Clean a CSV file</h1>
      <p className="lead">
        Bad rows are found, duplicates are asked about, a cleaned file and a summary come out. Meanwhile you may cut the network, block
        transports or kill the server: the task goes on where it was.
      </p>
      {status === 'starting' ? (
        <UploadBar fileName={fileName} upload={upload} />
      ) : (
        <DropZone onFile={(file) => void begin(file)} onSample={() => void beginWithSample()} />
      )}
      {error && (
        <p className="notice bad" role="alert">
          {error.message} <button onClick={reset}>Try another file</button>
        </p>
      )}
      <label className="pace">
        Work{' '}
        <select value={pace} onChange={({ target }) => setPace(Number(target.value))}>
          {paces.map(({ seconds, label }) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <RecentList />
    </div>
  );
}
