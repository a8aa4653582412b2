/* One grid for one place on the page, and for as long as the place is there.

   Streamlit calls a component again whenever its data changes, each time after waiting for the module, and has what the
   call before gave called, to take it away, wherever the data changed once more while it waited. Taken at its word, a grid
   on the screen would hear no key until the next call, and two would hear each click after it. So only the place tells:
   a grid goes when the place has left the page. */

const grids = new WeakMap();

function mounted(component, begin) {
  const host = component.parentElement;
  const grid = grids.get(host) || begin(host);
  grids.set(host, grid);
  grid.receive(component);
  return () => {
    if (host.isConnected || grids.get(host) !== grid) return;
    grid.remove();
    grids.delete(host);
  };
}
