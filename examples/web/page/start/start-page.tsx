import { useState, type ReactElement } from 'react';
import { goTo } from '../address.ts';
import { useStartTask } from '../hooks.ts';
import { ReportList } from '../reports/report-list.tsx';
import { DropZone } from './drop-zone.tsx';
import { SignIn } from './sign-in.tsx';
import { StartOptions, type ChosenOptions } from './start-options.tsx';
import { UploadBar } from './upload-bar.tsx';

/** Takes a file and starts a report of it; lists those that there are. */
export function StartPage(): ReactElement {
  const { start, status, upload, error, reset } = useStartTask();
  const [options, setOptions] = useState<ChosenOptions>({ paceSeconds: 20, labels: '' });
  const [fileName, setFileName] = useState('');

  async function begin(file: File): Promise<void> {
    setFileName(file.name);
    const labels = [...new Set(options.labels.split(',').map((label) => label.trim()))].filter((label) => label !== '');
    const taskId = await start({
      taskType: 'report.build',
      title: file.name,
      labels,
      input: { findingsMax: 15, paceSeconds: options.paceSeconds },
      attachments: [{ fileName: file.name, contentType: 'text/csv', content: file }],
    });
    if (taskId !== null) goTo(taskId);
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
      <StartOptions chosen={options} onChoose={setOptions} />
      <ReportList />
      <SignIn />
    </div>
  );
}
