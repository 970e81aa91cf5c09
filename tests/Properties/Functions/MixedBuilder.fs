namespace Curvature.Tests.Properties

open System
open System.Collections.Generic
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// What the operands of a mixed program are read from.
[<NoEquality; NoComparison>]
type internal Environment =
    {
        /// Pieces of the slow input θ.
        Slow: List<Tensor>
        /// Pieces of the fast input x.
        Fast: List<Tensor>
        /// The results of the steps so far.
        Values: List<Tensor>
    }

    static member Empty = { Slow = List(); Fast = List(); Values = List() }

/// Where an operand comes from.
[<NoEquality; NoComparison>]
type internal Source = { Text: string; Read: Environment -> Tensor }

/// One application of a primitive.
[<NoEquality; NoComparison>]
type internal MixedStep =
    {
        Primitive: Primitive
        Sources: Source[]
        /// The order in which the axes of the results are given, if it is another.
        Order: int list voption
    }

    /// Adds the results.
    member step.Run(environment: Environment) : unit =
        let operands = step.Sources |> Array.map (fun source -> source.Read environment)
        let results = Interpreter.Bind(step.Primitive, operands)

        match step.Order with
        | ValueSome order -> environment.Values.AddRange(results |> Array.map (Tensor.permute order))
        | ValueNone -> environment.Values.AddRange results

/// Draws the steps of a program. What it draws is evaluated at once, so that operands stay in their primitives'
/// domains.
type internal MixedBuilder(random: Random, dtype: DType) =
    let environment = Environment.Empty
    let shapeOf (t: Tensor) = List.ofArray t.Shape

    let constant shape =
        Generators.numbers -1.0 1.0 (random.Next()) (List.fold (*) 1 shape)
        |> Tensor.ofArray shape
        |> Tensor.convert dtype

    /// A tensor of which t is a view, and the view.
    let rec view (t: Tensor) : string * Tensor * (Tensor -> Tensor) =
        let shape, rank = shapeOf t, t.Rank
        let axis = if rank = 0 then 0 else random.Next rank
        let slope (per: int -> int) = Array.init rank (fun i -> if i = axis then per 0 else 0)

        match random.Next(if rank = 0 then 3 else 8) with
        | 0
        | 1 -> "", t, id
        | 2 when rank = 0 -> " element", Tensor.stack 0 [ t.FillLike 1.0; t; t.FillLike 2.0 ], Tensor.item 0 1
        | 2
        | 3 ->
            let start, step, after = random.Next 3, 1 + random.Next 3, random.Next 2
            let room = Structure.Pad(slope (fun _ -> start), slope (fun _ -> step - 1), slope (fun _ -> after))
            $" slice of axis {axis}", Interpreter.Bind(room, t)[0], Tensor.sliceStep axis start t.Shape[axis] step
        | 4 ->
            let order = Array.init rank id |> Array.sortBy (fun _ -> random.Next())
            let inverse = List.init rank (fun i -> Array.IndexOf(order, i))
            " permuted", Tensor.permute (List.ofArray order) t, Tensor.permute inverse
        | 5 when t.Shape[axis] > 0 -> $" broadcast on axis {axis}", Tensor.slice axis 0 1 t, Tensor.broadcastTo shape
        | 6 -> $" reversed on axis {axis}", Tensor.reverse axis t, Tensor.reverse axis
        | _ ->
            let text, first, apply = view t
            let others, first, earlier = view first
            others + text, first, earlier >> apply

    /// A view of a piece that a pool gets for it.
    let viewOf name (pool: List<Tensor>) (pick: Environment -> List<Tensor>) (adapt: Tensor -> Tensor) t =
        let text, piece, apply = view t
        pool.Add piece
        let index = pool.Count - 1

        {
            Text = $"{name}{index}{text}"
            Read = fun environment -> (pick environment)[index] |> adapt |> apply
        }

    let slow adapt = viewOf "slow" environment.Slow _.Slow adapt
    let fast adapt = viewOf "fast" environment.Fast _.Fast adapt

    let fixedView t =
        let text, piece, apply = view t

        { Text = $"constant{text}"; Read = fun _ -> apply piece }

    /// Whole numbers: constants, or what conversion makes of an input.
    let integers (t: Tensor) =
        let apart () =
            t.ToArray()
            |> Array.map (fun x -> if x < 0.0 then x - 0.25 else x + 0.25)
            |> Tensor.ofArray (shapeOf t)
            |> Tensor.convert dtype

        match random.Next 4 with
        | 0 -> slow (Tensor.convert DType.Int32) (apart ())
        | 1 -> fast (Tensor.convert DType.Int32) (apart ())
        | _ -> fixedView t

    /// An earlier result in another shape: a part of it, or all of it between constants.
    let refit (index: int) (shape: int list) : Source =
        let value = environment.Values[index]
        let size, n = List.fold (*) 1 shape, value.Size
        let start = random.Next(abs (n - size) + 1)

        let fill =
            if n >= size then
                Tensor.slice 0 start size
            else
                match random.Next 3 with
                | 0 -> Tensor.pad 0 start (size - n - start)
                | 1 -> let before = constant [ size - n ] in fun flat -> Tensor.concat 0 [ before; flat ]
                | _ ->
                    let before, after = constant [ start ], constant [ size - n - start ]
                    fun flat -> Tensor.concat 0 [ before; flat; after ]

        let same = (shapeOf value = shape)
        let convert (t: Tensor) = if t.DType = dtype then t else Tensor.convert dtype t

        {
            Text = if same then $"v{index}" else $"v{index} as {shape}"
            Read =
                fun environment ->
                    let value = convert environment.Values[index]
                    if same then value else value |> Tensor.flatten |> fill |> Tensor.reshape shape
        }

    let isSmall (t: Tensor) = t.ToArray() |> Array.forall (fun x -> abs x < 3.0)

    let source (isFree: bool) (t: Tensor) : Source =
        let computed =
            [ for i in 0 .. environment.Values.Count - 1 -> i ] |> List.filter (fun i -> isSmall environment.Values[i])

        match random.Next 16 with
        | _ when t.DType = DType.Int32 -> integers t
        | 0
        | 1 -> fixedView t
        | 2 -> { Text = "constant"; Read = fun _ -> t }
        | 3 -> slow id t
        | 4 -> slow (fun s -> s + 0.005 * s * s) t
        | 5
        | 6
        | 7 -> fast id t
        | _ when computed.IsEmpty -> fast id t
        | _ ->
            // Mostly the last results, so that chains become deep.
            let back = if random.Next 3 = 0 then random.Next computed.Length else computed.Length - 1
            let earlier = refit computed[back] (shapeOf t)

            if isFree then
                earlier
            else
                { earlier with
                    Text = $"near t by {earlier.Text}"
                    Read = fun environment -> t + 0.1 * sin (earlier.Read environment)
                }

    /// Whether the primitive takes any numbers.
    let isFree (primitive: Primitive) =
        match primitive with
        | :? Elementwise as elementwise ->
            match elementwise.Op with
            | OpCode.Add
            | OpCode.Subtract
            | OpCode.Multiply
            | OpCode.MultiplyAdd
            | OpCode.Negate
            | OpCode.Exp
            | OpCode.Expm1
            | OpCode.Sin
            | OpCode.Cos
            | OpCode.Tanh
            | OpCode.Sigmoid
            | OpCode.Softplus
            | OpCode.Erf -> true
            | _ -> false
        | :? MatrixPrimitive -> false
        | _ -> true

    let draw (cases: Gen<Case>) = (Gen.sampleWithSeed (Rnd(uint64 (random.Next()))) 30 1 cases)[0]

    let rec drawSmall tries (cases: Gen<Case>) =
        let case = draw cases

        if tries = 0 || case.Operands |> Array.sumBy _.Size < 400 then
            case
        else
            drawSmall (tries - 1) cases

    let shuffled rank = List.init rank id |> List.sortBy (fun _ -> random.Next())

    /// Now and then the same operand by way of two permutations, which are inverse to each other. Simplification moves
    /// the second into products; three axes and more tell a permutation from its inverse.
    let permuted (oneIn: int) (t: Tensor) (source: Source) : Source =
        if t.Rank < 2 || random.Next oneIn > 0 then
            source
        else
            let order = shuffled t.Rank
            let inverse = List.init t.Rank (fun axis -> List.findIndex ((=) axis) order)
            // A number that no simplification sees keeps the two apart.
            let apart = Tensor.tanh (Tensor.full dtype [] 20.0)

            { source with
                Text = $"{source.Text} permuted {order} and back"
                Read =
                    fun environment ->
                        let operand = source.Read environment

                        if operand.DType = dtype then
                            operand |> Tensor.permute order |> (fun moved -> moved * apart) |> Tensor.permute inverse
                        else
                            operand
            }

    /// A matrix product of which operands are worth packing.
    let wideProduct: Gen<Case> =
        gen {
            let! lengths = Gen.listOfLength 3 (Gen.choose (7, 21))
            let! left = Gen.elements [ [| 0; 1 |]; [| 1; 0 |] ]
            let! right = Gen.elements [ [| 1; 2 |]; [| 2; 1 |] ]
            let! result = Gen.elements [ [| 0; 2 |]; [| 2; 0 |] ]
            let operand = Array.map (fun label -> lengths[label]) >> Generators.between -0.5 0.5 dtype
            let! a = operand left
            let! b = operand right

            return
                {
                    Primitive = Einsum(left, right, result)
                    Operands = [| a; b |]
                    Held = []
                    Seed = 0
                }
        }

    member _.Environment = environment

    /// Adds a step with a primitive of this entry.
    member _.Step(entry: Entry) : MixedStep =
        let types = entry.DTypes |> List.filter (fun t -> t = dtype || t = DType.Int32)

        let case =
            if entry.Type = typeof<Einsum> && random.Next 3 = 0 then
                draw wideProduct
            else
                drawSmall 20 (entry.Cases types[random.Next types.Length])

        let isFree = isFree case.Primitive
        let sources: Source[] = Array.zeroCreate case.Operands.Length

        for k in 0 .. sources.Length - 1 do
            let t = case.Operands[k]

            let twins =
                [ 0 .. k - 1 ]
                |> List.filter (fun j -> isFree && case.Operands[j].Signature = t.Signature && t.DType = dtype)

            sources[k] <-
                if not twins.IsEmpty && random.Next 5 = 0 then
                    sources[twins[random.Next twins.Length]]
                elif case.Primitive :? Elementwise && List.contains k case.Held then
                    let source = source false t

                    { source with
                        Text = $"{source.Text} > 0.5"
                        Read = fun environment -> let s = source.Read environment in Tensor.greater s (s.FillLike 0.5)
                    }
                elif case.Primitive :? MatrixPrimitive then
                    // A view that repeats rows would make a matrix singular.
                    let source = source true (constant (shapeOf t))

                    { source with
                        Text = $"near t by {source.Text}"
                        Read = fun environment -> t + 0.1 * sin (source.Read environment)
                    }
                else
                    source isFree t

        let isProduct = case.Primitive :? Einsum

        let step =
            {
                Primitive = case.Primitive
                Sources = Array.map2 (permuted (if isProduct then 2 else 6)) case.Operands sources
                Order =
                    if isProduct && random.Next 3 = 0 then
                        ValueSome(
                            shuffled (case.Primitive.Infer(case.Operands |> Array.map _.Signature)[0]).Shape.Length
                        )
                    else
                        ValueNone
            }

        step.Run environment
        step

    /// Something that a program may give back: a result, an input, a constant, or a join of such.
    member this.Output() : Source =
        let value index = { Text = $"v{index}"; Read = fun environment -> environment.Values[index] }

        let any () = random.Next environment.Values.Count
        let shape = [ 1 + random.Next 3; 2 ]

        match random.Next 9 with
        | 0 -> fast id (constant shape)
        | 1 -> slow id (constant shape)
        | 2 -> fixedView (constant shape)
        | 3
        | 4
        | 5 -> value (any ())
        | _ ->
            let axis = random.Next 2
            let parts = List.init (1 + random.Next 3) (fun _ -> source true (constant shape))
            let join = if random.Next 3 = 0 then Tensor.stack axis else Tensor.concat axis
            let names = parts |> List.map _.Text |> String.concat ", "

            // As it is, or as what one or two other kernels read.
            let reader, after =
                match random.Next 4 with
                | 0 -> "join", id
                | 1 -> "sin of the join", sin
                | 2 -> "row sums of the join", Tensor.sumAxes [ 0 ] >> exp
                | _ -> "cumulative sum of the join", Tensor.cumulativeSum axis

            {
                Text = $"{reader} of ({names})"
                Read = fun environment -> parts |> List.map (fun part -> part.Read environment) |> join |> after
            }
