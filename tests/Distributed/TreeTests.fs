module Curvature.Tests.TreeTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

let private wild (group: int) = 10.0 ** float (group * 7 % 9 - 4) * (if group % 2 = 0 then 1.0 else -0.7)

let private partial groups (range: GroupRange) : Partial =
    let rec sum (struct (low, high) as range: GroupRange) =
        if high - low = 1 then
            [| wild low |]
        else
            let middle = FixedTree.split range
            Array.map2 (+) (sum (struct (low, middle))) (sum (struct (middle, high)))

    {
        Groups = groups
        Shapes = [ [ 1 ] ]
        Nodes = [ for node in FixedTree.cover groups range -> { Range = node; Sum = sum node } ]
        Rows = []
        Samples = 1
        Warnings = []
    }

[<Tests>]
let tests =
    testList "the tree" [
        test "ranges of workers are disjoint, in order, about the same, and all groups together" {
            for groups in [ 1; 2; 5; 16; 17; 100; 1000; 4097 ] do
                for workers in [ 1; 2; 3; 7; 10; 100 ] do
                    let ranges = [ for worker in 0 .. workers - 1 -> FixedTree.range worker workers groups ]
                    let groupsOf (struct (low, high): GroupRange) = [ low .. high - 1 ]
                    Expect.equal $"{groups} over {workers}" [ 0 .. groups - 1 ] (ranges |> List.collect groupsOf)

                    for struct (low, high) in ranges do
                        let share = float groups / float workers
                        Expect.isTrue $"{groups} over {workers}" (abs (float (high - low) - share) <= 1.0 + share / 4.0)
        }

        test "the nodes of a range are the range, and few" {
            for groups in [ 1; 5; 16; 100; 1000 ] do
                for worker in 0..2 do
                    let struct (low, high) as range = FixedTree.range worker 3 groups
                    let cover = FixedTree.cover groups range
                    let all = cover |> List.collect (fun (struct (first, last)) -> [ first .. last - 1 ])
                    Expect.equal $"{groups}, {worker}" [ low .. high - 1 ] all
                    Expect.isTrue $"{groups}, {worker}" (cover.Length <= 8)
        }

        test "partial sums put together in any order have the bits of the tree" {
            for groups in [ 1; 2; 3; 5; 8; 13; 64; 100 ] do
                let whole = (Partial.total (partial groups (struct (0, groups)))).Head.ToArray()
                let tree = TreeSum()

                for group in 0 .. groups - 1 do
                    tree.Add(group, Tensor.scalar Curvature.DType.Float64 (wild group))

                Expect.equal $"{groups}: the tree of sums here" whole[0] (tree.Total.Value.ToScalar())

                for workers in [ 1; 2; 3; 5; groups ] do
                    for seed in 1..5 do
                        let random = System.Random(seed)

                        let parts =
                            [|
                                for worker in 0 .. workers - 1 do
                                    let struct (low, high) as range = FixedTree.range worker workers groups
                                    if low < high then partial groups range
                            |]

                        random.Shuffle parts
                        let merged = parts |> Array.reduce Partial.merge
                        Expect.equal $"{groups} over {workers}" whole ((Partial.total merged).Head.ToArray())
        }

        test "a plain sum from left to right has other bits, so that the tests can tell" {
            let plain = Seq.sum (Seq.init 100 wild)
            Expect.notEqual "the tree" plain ((Partial.total (partial 100 (struct (0, 100)))).Head.ToScalar())
        }

        test "a group that is there twice or missing is refused" {
            let part low high = partial 8 (struct (low, high))

            Curvature.Tests.Expect.error<Curvature.ClusterException> [ "group 3"; "twice" ] (fun () ->
                Partial.merge (part 0 4) (part 3 8) |> ignore)

            Curvature.Tests.Expect.error<Curvature.ClusterException> [ "of 8 groups"; "0–3"; "6–7" ] (fun () ->
                Partial.merge (part 0 4) (part 6 8) |> Partial.total |> ignore)
        }

        test "an empty group changes no bits" {
            let none: PartialNode = { Range = struct (2, 3); Sum = [||] }

            let with' =
                Partial.merge
                    { partial 3 (struct (0, 2)) with Groups = 3 }
                    { partial 3 (struct (0, 0)) with Nodes = [ none ] }

            let expected = wild 0 + wild 1
            Expect.equal "the sum" expected ((Partial.total with').Head.ToScalar())
            let tree = TreeSum()
            tree.Add(0, Tensor.scalar Curvature.DType.Float64 (wild 0))
            tree.Add(3, Tensor.scalar Curvature.DType.Float64 (wild 1))
            Expect.equal "here" expected (tree.Total.Value.ToScalar())
        }
    ]
