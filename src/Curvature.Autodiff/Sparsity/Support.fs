namespace Curvature

open System.Collections.Generic
open Curvature.FSharp
open Curvature.Kernels

/// Where the coefficients of a linear program may differ from 0, and which positions its indices may take: Int32
/// tensors of 1 and 0, and of sets of positions. A missing one stands for everywhere and for any position. The values
/// of constants count where they are fixed, and do not where they are those of one point.
[<Sealed>]
type internal Support(program: Program, isFixed: bool) =

    let device = program.Device
    let marks: Tensor voption[] = Array.create program.Variables.Length ValueNone
    let ofConstants = Dictionary<Tensor, Tensor voption>(HashIdentity.Reference)

    // A position is an element's number in an axis or in a tensor.
    let positions = ElementSets(IndexSets(1 <<< 30), device)
    let candidates: Tensor voption[] = Array.create program.Variables.Length ValueNone

    let ones (signature: Signature) : Tensor =
        Tensor.OfStorage(Storage.Full(device, { signature with DType = DType.Int32 }, 1.0))

    /// Marks that are not all 1.
    let reduced (t: Tensor) : Tensor voption =
        if t.Size > 0 && Array.forall ((=) 1) (t.ToInt32Array()) then
            ValueNone
        else
            ValueSome t

    /// The marks of a constant, whose values count where they are those of the function at every point.
    let ofConstant (t: Tensor) : Tensor voption =
        if not isFixed || not (isNull t.Owner) || t.DType = DType.Int32 then
            ValueNone
        else
            match ofConstants.TryGetValue t with
            | true, found -> found
            | _ ->
                let isZero (value: float) = if value = 0.0 then 0 else 1

                let found =
                    match t.Storage.Uniform with
                    | ValueSome value when value <> 0.0 -> ValueNone
                    | ValueSome _ -> ValueSome(positions.Full(t.Signature.Shape, 0))
                    | ValueNone -> positions.Of(t.Signature.Shape, Array.map isZero (t.ToArray())) |> reduced

                ofConstants[t] <- found
                found

    let marksOf atom =
        match atom with
        | Variable id -> marks[id]
        | Constant t -> ofConstant t

    let combine f (a: Tensor voption) (b: Tensor voption) : Tensor voption =
        match a, b with
        | ValueSome a, ValueSome b ->
            Array.map2 f (a.ToInt32Array()) (b.ToInt32Array())
            |> fun both -> positions.Of(a.Signature.Shape, both)
            |> reduced
        | _ -> ValueNone

    let both (a: Tensor voption) (b: Tensor voption) : Tensor voption =
        match a, b with
        | ValueNone, other
        | other, ValueNone -> other
        | _ -> combine min a b

    /// Where an elementwise function of coefficients may differ from 0.
    let elementwise op (operands: Tensor voption[]) : Tensor voption =
        match op with
        | OpCode.Multiply -> both operands[0] operands[1]
        | OpCode.Divide
        | OpCode.Negate
        | OpCode.Abs
        | OpCode.Sign
        | OpCode.Floor
        | OpCode.Sqrt
        | OpCode.Sin
        | OpCode.Tanh
        | OpCode.Erf
        | OpCode.Expm1
        | OpCode.Log1p -> operands[0]
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Maximum
        | OpCode.Minimum -> combine max operands[0] operands[1]
        | OpCode.Select -> combine max operands[1] operands[2]
        | _ -> ValueNone

    let moved (equation: Equation) : Tensor voption[] =
        let operand atom =
            match atom with
            | Constant t when t.DType = DType.Int32 -> t
            | _ -> marksOf atom |> ValueOption.defaultWith (fun () -> ones (program.Signature atom))

        Interpreter.Bind(equation.Primitive, equation.Operands |> Array.map operand) |> Array.map reduced

    let hasVariableIndex (equation: Equation) =
        match equation.Primitive, equation.Operands with
        | :? Indexing.Gather, [| _; Variable _ |] -> true
        | _ -> false

    /// The positions in a window, for the result of a search of the largest elements.
    let ofWindows (maxima: WindowMaxima) (source: Signature) (result: Signature) : Tensor =
        let rank = source.Shape.Length
        let rows, columns, channels = source.Shape[rank - 3], source.Shape[rank - 2], source.Shape[rank - 1]
        let images = source.Shape[rank - 4]
        let stacks = if rank = 5 then source.Shape[0] else 1
        let down, across = WindowPairs.byOutput maxima.Height, WindowPairs.byOutput maxima.Width

        positions.Gather(
            result.Shape,
            fun receive ->
                let mutable position = 0

                for _ in 1..stacks do
                    for image in 0 .. images - 1 do
                        for inRow in down do
                            for inColumn in across do
                                for channel in 0 .. channels - 1 do
                                    for struct (row, _) in inRow do
                                        for struct (column, _) in inColumn do
                                            let place = ((image * rows + row) * columns + column) * channels + channel
                                            receive position (place + 1)

                                    position <- position + 1
        )

    let candidatesOf atom : Tensor voption =
        match atom with
        | Variable id -> candidates[id]
        | Constant t -> t.ToInt32Array() |> Array.map (max -1 >> (+) 1) |> fun p -> ValueSome(positions.Of(t.Shape, p))

    /// The positions that the elements of an index may be.
    let indices (equation: Equation) : Tensor voption =
        let result = program.Variables[equation.Results[0]]

        match equation.Primitive with
        | :? WindowMaxima as maxima -> ValueSome(ofWindows maxima (program.Signature equation.Operands[0]) result)
        | :? Structure.Reshape
        | :? Structure.Permute
        | :? Structure.ReverseAxes
        | :? Structure.Slice
        | :? Structure.Concat
        | :? Broadcast when equation.Operands |> Array.forall (fun atom -> (candidatesOf atom).IsSome) ->
            let operands = equation.Operands |> Array.map (fun atom -> (candidatesOf atom).Value)
            Interpreter.Bind(equation.Primitive, operands) |> Array.head |> ValueSome
        | _ -> ValueNone

    /// Follows an equation without linear operands.
    member _.Follow(equation: Equation) : unit =
        let results = equation.Results

        if program.Variables[results[0]].DType = DType.Int32 then
            if results.Length = 1 then candidates[results[0]] <- indices equation
        else
            match equation.Primitive with
            | :? Elementwise as elementwise' ->
                marks[results[0]] <- elementwise elementwise'.Op (equation.Operands |> Array.map marksOf)
            | :? Structure.Convert
            | :? Structure.StopGradient -> marks[results[0]] <- marksOf equation.Operands[0]
            | primitive when ParameterViews.moves primitive && not (hasVariableIndex equation) ->
                moved equation |> Array.iter2 (fun id found -> marks[id] <- found) results
            | _ -> ()

    /// Where a coefficient may differ from 0.
    member _.Marks(atom: Atom) : Tensor voption = marksOf atom

    /// The values of a coefficient, where they are those of the function at every point.
    member _.Known(atom: Atom) : float[] voption =
        match atom with
        | Constant t when isFixed && isNull t.Owner -> ValueSome(t.ToArray())
        | _ -> ValueNone

    /// For each element of an index that is computed, the positions that it may be; nothing where it may be any.
    member _.Candidates(atom: Atom) : int[][] voption =
        candidatesOf atom |> ValueOption.map (fun sets -> sets.ToInt32Array() |> Array.map positions.Sets.Items)
