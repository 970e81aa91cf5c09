/// The F# of docs/data.md.
module DocExamples.DataExamples

open System
open System.IO
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private inFolder (test: (string -> string) -> unit) =
    let folder = Directory.CreateTempSubdirectory("curvature-").FullName

    try
        test (fun name -> Path.Combine(folder, name))
    finally
        Directory.Delete(folder, true)

[<Tests>]
let tests =
    testList "DocExamples.DataExamples" [
        test "arrays of NumPy" {
            inFolder (fun file ->
                let single, several = file "matrix.npy", file "arrays.npz"

                Numpy.write single (tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ])
                let matrix = Numpy.read single // np.load("matrix.npy")

                Numpy.writeArchive several [ "weight", matrix; "bias", tensor [ 0.5; 1.5 ] ]

                for name, array in Numpy.readArchive several do // np.load("arrays.npz")
                    printfn $"{name}: {array}"

                Expect.equal
                    "Numpy.readArchive several |> Li…"
                    [ "weight"; "bias" ]
                    (Numpy.readArchive several |> List.map fst))
        }

        test "limits" {
            inFolder (fun file ->
                let weights, rows = file "model.safetensors", file "rows.csv"
                Safetensors.write weights [ ("weight", tensor [ 0.5; 1.5 ]) ]
                File.WriteAllText(rows, "1,2\n3,4\n")

                let large = ReadLimits.Default.WithBytes(64L <<< 30) // 64 GiB
                let tensors = Safetensors.readWith large weights
                let table = Csv.readMatrixWith (CsvOptions.Default.WithLimits large) rows

                Expect.equal "List.map fst tensors" [ "weight" ] (List.map fst tensors)
                Expect.equal "table.Shape" [| 2; 2 |] table.Shape)
        }

        testCase "writing as a whole or not at all" (fun () ->
            inFolder (fun file ->
                let picture, raw, bytes = file "loss.svg", file "loss.bin", [| 1uy; 2uy |]
                let line = Series.line "f" [| 0.0; 1.0 |] [| 1.0; 2.0 |]
                let chart = Chart.create "Loss" (Axis.linear "x") (Axis.linear "y") [ line ]

                AtomicFile.writeText picture (Chart.toSvg chart)
                AtomicFile.write raw (fun stream -> stream.Write(ReadOnlySpan bytes))

                Expect.equal "File.ReadAllBytes raw" bytes (File.ReadAllBytes raw)
                Expect.isTrue "the chart" (File.ReadAllText(picture).Contains "<svg")))

        test "sets of images" {
            inFolder (fun file ->
                // Three images of one row of two pixels in the format of MNIST, and two files in that of CIFAR-10.
                let images, labels = file "images-idx3-ubyte", file "labels-idx1-ubyte"
                let batch, another = file "data_batch_1.bin", file "data_batch_2.bin"
                let lengths = [| 0uy; 0uy; 0uy; 3uy; 0uy; 0uy; 0uy; 1uy; 0uy; 0uy; 0uy; 2uy |]
                File.WriteAllBytes(images, Array.concat [ [| 0uy; 0uy; 8uy; 3uy |]; lengths; [| 1uy .. 6uy |] ])
                File.WriteAllBytes(labels, [| 0uy; 0uy; 8uy; 1uy; 0uy; 0uy; 0uy; 3uy; 7uy; 2uy; 1uy |])

                for path in [ batch; another ] do
                    File.WriteAllBytes(path, Array.append [| 3uy |] (Array.init 3072 byte))

                let digits = Idx.images images labels // train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz
                let first = digits.Slice(0, 2)
                let pixels = first.ToTensor DType.Float32 // [images; channels; height; width], from 0 to 1
                let classes = first.Labels
                let colours = Cifar.images10 batch // data_batch_1.bin
                let all = [ batch; another ] |> List.map Cifar.images10 |> ImageSet.concat
                let made = ImageSet.create (1, 2, 2) [| 0; 1 |] [| 0uy; 10uy; 20uy; 30uy; 40uy; 50uy; 60uy; 70uy |]

                Expect.equal "pixels.Shape" [| 2; 1; 1; 2 |] pixels.Shape
                Expect.tensor 0.0 [ 2 ] [ 7; 2 ] classes
                Expect.equal "[ colours.Count; all.Count; mad…" [ 1; 2; 2 ] [ colours.Count; all.Count; made.Count ])
        }

        test "batches, made when they are asked for" {
            let images = ImageSet.create (3, 4, 4) [| 0; 1; 1; 0; 1 |] (Array.init 240 byte)

            let options =
                BatchOptions.Default
                    .WithSize(2)
                    .WithTransform(Scaling.channels [ 0.485; 0.456; 0.406 ] [ 0.229; 0.224; 0.225 ])

            for batch in Batches.ofImages options DType.Float32 images do
                printfn $"{batch.Size} images, classes {batch.Targets}"

            let network =
                Network.ofLayer (ImageLayer.onImages (Layer.sequential [ ImageLayer.flatten; Layer.dense 48 2 ]))

            let start, key = Network.initialize (Key.OfSeed 1L) DType.Float32 network, Key.OfSeed 2L
            let criterion = Loss.softmaxCrossEntropy Reduction.Mean
            let risk = network |> Network.risk Reduction.Mean criterion (Batches.ofImages options DType.Float32 images)

            let inOrderOf (key: Key) = Batches.ofImages (options.WithShuffling key) DType.Float32 images
            let passes = TrainingOptions.Default.WithEpochs(2).WithOptimizer(Optimizer.adam 0.01)
            let shuffled = risk |> Risk.withPasses (uint32 >> key.FoldIn >> inOrderOf)
            let training = start |> Training.minimize passes shuffled

            let hessian = Hessian.ofRisk risk training.Theta

            Expect.equal "training.Steps" 6 training.Steps
            Expect.equal "hessian.Columns" 98 hessian.Columns
        }
    ]
