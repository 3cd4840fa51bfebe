import '../values/matrix.test.js'
