import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/layout.css';
import './style/table.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { begin } from './i18n/language.svelte';

const target = document.getElementById('app');
if (target) {
  await begin();
  mount(App, { target });
}
