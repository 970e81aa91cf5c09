module Curvature.Tests.Unit.BatchesTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private inputs = Tensor.linspace DType.Float64 0.0 19.0 20 |> Tensor.reshape [ 10; 2 ]
let private targets = Tensor.ofIndices [ 10 ] [| 0..9 |]
let private threes = BatchOptions.Default.WithSize 3
let private images = ImageSet.create (1, 1, 2) [| 0..9 |] [| 0uy .. 19uy |]

let private sizes (batches: Batch seq) = [ for batch in batches -> batch.Size ]
let private numbers (batches: Batch seq) = [ for batch in batches -> List.ofArray (batch.Inputs.ToArray()) ]

let private labels (batches: Batch seq) =
    [
        for batch in batches do
            yield! batch.Targets.ToInt32Array()
    ]

[<Tests>]
let tests =
    testList "Unit.BatchesTests" [
        test "batches in order are the data set, and the last one is smaller" {
            let batches = Batches.ofTensors threes inputs targets
            Expect.equal "sizes batches" [ 3; 3; 3; 1 ] (sizes batches)
            Expect.equal "List.concat (numbers batches)" [ 0.0 .. 19.0 ] (List.concat (numbers batches))
            Expect.equal "labels batches" [ 0..9 ] (labels batches)

            Expect.equal
                "sizes (Batches.ofTensors BatchO…"
                [ 10 ]
                (sizes (Batches.ofTensors BatchOptions.Default inputs targets))

            Expect.equal
                "sizes (Batches.ofTensors (three…"
                (List.replicate 10 1)
                (sizes (Batches.ofTensors (threes.WithSize 1) inputs targets))
        }

        test "a key shuffles, always alike, and inputs keep their targets" {
            let shuffled (seed: int64) = Batches.ofTensors (threes.WithShuffling(Key.OfSeed seed)) inputs targets
            let first = shuffled 1L
            Expect.isTrue $"{labels first}" (labels first <> [ 0..9 ] && List.sort (labels first) = [ 0..9 ])
            let ownInputs = labels first |> List.collect (fun label -> [ 2.0 * float label; 2.0 * float label + 1.0 ])
            Expect.equal "List.concat (numbers first)" ownInputs (List.concat (numbers first))
            Expect.equal "labels first" (labels first) (labels first)
            Expect.equal "labels (shuffled 1L)" (labels first) (labels (shuffled 1L))
            Expect.isTrue "another key, another order" (labels first <> labels (shuffled 2L))
        }

        testCase "batches are made when they are asked for, and changed by the transform" (fun () ->
            let mutable made = 0

            let options =
                threes.WithTransform(fun x ->
                    made <- made + 1
                    -x)

            let batches = Batches.ofTensors options inputs targets
            Expect.equal "made" 0 made

            Expect.equal
                "Seq.head (numbers (Seq.truncate…"
                [ 0.0; -1.0; -2.0; -3.0; -4.0; -5.0 ]
                (Seq.head (numbers (Seq.truncate 1 batches)))

            Expect.equal "made" 1 made

            Expect.error<ShapeException> [ "[1; 2]" ] (fun () ->
                Batches.ofTensors (threes.WithTransform(Tensor.slice 0 0 1)) inputs targets |> sizes |> ignore))

        test "images come as numbers from 0 to 1, batch by batch" {
            let batches = Batches.ofImages (threes.WithTransform(fun x -> 255.0 * x)) DType.Float64 images |> List.ofSeq
            Expect.equal "sizes batches" [ 3; 3; 3; 1 ] (sizes batches)
            Expect.equal "batches.Head.Inputs.Shape" [| 3; 1; 1; 2 |] batches.Head.Inputs.Shape
            Expect.close 1e-13 [| 0.0 .. 19.0 |] (numbers batches |> List.concat |> Array.ofList)
            Expect.equal "labels batches" [ 0..9 ] (labels batches)
            let shuffled = threes.WithShuffling(Key.OfSeed 5L)
            let ofTensors = Batches.ofTensors shuffled (images.ToTensor DType.Float32) images.Labels
            let ofImages = Batches.ofImages shuffled DType.Float32 images
            Expect.equal "numbers ofImages" (numbers ofTensors) (numbers ofImages)
            Expect.equal "labels ofImages" (labels ofTensors) (labels ofImages)
        }

        test "what cannot be cut into batches is refused" {
            Expect.error<ArgumentRangeException> [ "0" ] (fun () -> threes.WithSize 0 |> ignore)
            let empty = images.Slice(0, 0)

            Expect.error<DataException> [ "no samples" ] (fun () ->
                Batches.ofImages threes DType.Float32 empty |> ignore)

            Expect.error<DTypeException> [ "Int32" ] (fun () -> Batches.ofImages threes DType.Int32 images |> ignore)
            let none = Tensor.zeros DType.Float64 [ 0; 2 ]

            Expect.error<DataException> [ "no samples" ] (fun () ->
                Batches.ofTensors threes none (Tensor.zeros DType.Float64 [ 0 ]) |> ignore)

            Expect.error<ShapeException> [ "[10; 2]"; "[9]" ] (fun () ->
                Batches.ofTensors threes inputs (Tensor.slice 0 0 9 targets) |> ignore)
        }
    ]
