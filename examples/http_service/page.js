// SPDX-License-Identifier: MIT
'use strict';
const names = ['T-shirt', 'trousers', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot'];
const at = (id) => document.getElementById(id);

function cell(row, probability, kind) {
  const bar = row.insertCell();
  bar.className = 'bar ' + kind;
  if (probability === undefined) return;
  const meter = document.createElement('meter');
  meter.value = probability;
  bar.append(meter, ' ' + probability.toFixed(4));
}

function show(answer) {
  at('bars').replaceChildren();
  at('result').classList.toggle('no-clean', !answer.clean);
  names.forEach((name, i) => {
    const row = at('bars').insertRow();
    row.className = i === answer.class ? 'label' : '';
    row.insertCell().textContent = name;
    cell(row, answer.probabilities[i], 'defended');
    cell(row, answer.clean?.[i], 'clean');
  });
  at('message').textContent = 'It is a ' + answer.label + '.';
}

async function classify(file) {
  at('message').textContent = '';
  try {
    const bitmap = await createImageBitmap(file);
    const canvas = at('image');
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    at('result').hidden = false;
    const png = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    // the service ignores `clean` unless it was started with --demo
    const response = await fetch('v1/classify?clean=1', {method: 'POST', body: png});
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    show(answer);
  } catch (error) {
    at('result').hidden = true;
    at('message').textContent = 'No answer: ' + error.message;
  }
}

at('file').addEventListener('change', (event) => event.target.files[0] && classify(event.target.files[0]));
for (const kind of ['dragover', 'dragleave', 'drop']) {
  at('drop').addEventListener(kind, (event) => {
    event.preventDefault();
    at('drop').classList.toggle('over', kind === 'dragover');
    if (kind === 'drop' && event.dataTransfer.files[0]) classify(event.dataTransfer.files[0]);
  });
}
