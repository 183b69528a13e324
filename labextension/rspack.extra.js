// What the builder does not know by itself: sources are TypeScript, compiled without a step of their own.
module.exports = {
  resolve: { extensions: ['.tsx', '.ts', '.js'] },
  devtool: false,
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        type: 'javascript/auto',
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'typescript', tsx: true },
            target: 'es2020',
            transform: { react: { runtime: 'classic' } }
          }
        }
      }
    ]
  }
};
