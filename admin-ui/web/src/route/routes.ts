import type { Route } from './match';

/** Every page. Those with an icon stand in the navigation, in this order. */
export const routes: Route[] = [
  { path: '/', name: 'overview', icon: 'overview', load: () => import('../pages/overview/Overview.svelte') },
  {
    path: '/users',
    name: 'users',
    icon: 'users',
    needs: ['user.list'],
    load: () => import('../pages/users/Users.svelte'),
  },
  { path: '/users/:account', name: 'user', under: 'users', load: () => import('../pages/users/User.svelte') },
  {
    path: '/sessions',
    name: 'sessions',
    icon: 'sessions',
    needs: ['session.list'],
    load: () => import('../pages/sessions/Sessions.svelte'),
  },
  {
    path: '/sessions/:jid',
    name: 'session',
    under: 'sessions',
    load: () => import('../pages/sessions/Session.svelte'),
  },
  {
    path: '/operations',
    name: 'operations',
    icon: 'operations',
    load: () => import('../pages/operations/Operations.svelte'),
  },
  {
    path: '/operations/:name',
    name: 'operation',
    under: 'operations',
    load: () => import('../pages/operations/Operation.svelte'),
  },
  { path: '/about', name: 'about', icon: 'about', load: () => import('../pages/about/About.svelte') },
];
