// playwright-core declares its methods in terms of these. The tests run in Node, where nothing else should be able to
// use the DOM by accident; so they get its names, not its library.
interface Node {}
interface HTMLElement {}
interface SVGElement {}
interface HTMLElementTagNameMap {}
