package main

import "github.com/vwmp/vwmp/pluginsdk/serve"

func main() { serve.Main(dataPlugin()) }
