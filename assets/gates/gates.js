export default function(){}

