import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createDemo, DemoProvider } from './demo.tsx';

const place = document.getElementById('page');
if (!place) throw new Error('The page has no place to be drawn in.');
createRoot(place).render(
  <StrictMode>
    <DemoProvider demo={createDemo()}>
      <App />
    </DemoProvider>
  </StrictMode>,
);
