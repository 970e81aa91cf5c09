namespace Curvature

open System.Collections.Generic

/// What one step of a plan computes.
[<NoEquality; NoComparison>]
type internal PlanStep =
    /// Neighbouring elementwise equations, in order, as one tape; the last one's result is stored, or summed over its
    /// trailing axes by the given equation.
    | Fused of members: Equation[] * sum: Equation voption
    /// A sum of products (contractions or convolutions), accumulated in place.
    | Products of terms: Equation[] * result: int
    /// Any other equation.
    | Single of Equation

    /// The equations that are computed.
    member step.Equations: Equation seq =
        match step with
        | Fused(members, sum) -> Seq.append members (ValueOption.toList sum)
        | Products(terms, _) -> terms
        | Single equation -> [ equation ]

/// Groups the equations of a program into steps.
module internal Fusion =

    let private elementwise (equation: Equation) =
        match equation.Primitive with
        | :? Elementwise -> true
        | _ -> false

    let private isAddition (equation: Equation) =
        match equation.Primitive with
        | :? Elementwise as e -> e.Op = Kernels.OpCode.Add
        | _ -> false

    /// The equations that use each variable, and whether it is an output.
    let private uses (program: Program) =
        let users = Array.init program.Variables.Length (fun _ -> List<int>())
        let isOutput = Array.zeroCreate<bool> program.Variables.Length

        program.Equations
        |> Array.iteri (fun index equation ->
            for operand in equation.Operands do
                match operand with
                // Equations come in order, so that one that uses a variable twice is the last to have been noted.
                | Variable id when users[id].Count = 0 || users[id][users[id].Count - 1] <> index ->
                    users[id].Add index
                | _ -> ())

        for output in program.Outputs do
            match output with
            | Variable id -> isOutput[id] <- true
            | Constant _ -> ()

        users, isOutput

    let private accumulates (equation: Equation) =
        match equation.Primitive.Evaluation with
        | Accumulate _ -> true
        | _ -> false

    /// Products that are summed. Sums of sums are kept as they are: writing out the terms of each would take time in
    /// the square of their number.
    [<NoEquality; NoComparison>]
    type private ProductSum =
        | Nothing
        | Product of Equation
        | SumOf of ProductSum * ProductSum

    /// The terms from left to right.
    let private termsOf (sum: ProductSum) : Equation[] =
        let terms, left = List<Equation>(), Stack [ sum ]

        while left.Count > 0 do
            match left.Pop() with
            | Nothing -> ()
            | Product equation -> terms.Add equation
            | SumOf(a, b) ->
                left.Push b
                left.Push a

        terms.ToArray()

    /// For each equation the products that it sums, where it is a product, or an addition of two such sums that
    /// nothing else uses; and whether it has become part of a larger sum.
    let private productSums (program: Program) (users: List<int>[]) (isOutput: bool[]) =
        let terms = Array.create program.Equations.Length Nothing
        let merged = Array.zeroCreate<bool> program.Equations.Length
        let definedBy = Dictionary<int, int>()

        program.Equations
        |> Array.iteri (fun index equation ->
            for id in equation.Results do
                definedBy[id] <- index

            if accumulates equation then
                terms[index] <- Product equation
            elif isAddition equation then
                let sumOf atom =
                    match atom with
                    // A product within a segment waits for no sum outside of it: what it reads would be kept until
                    // then.
                    | Variable id when
                        users[id].Count = 1
                        && not isOutput[id]
                        && definedBy.ContainsKey id
                        && program.Equations[definedBy[id]].Segment = equation.Segment
                        ->
                        match terms[definedBy[id]] with
                        | Nothing -> ValueNone
                        | _ -> ValueSome definedBy[id]
                    | _ -> ValueNone

                match sumOf equation.Operands[0], sumOf equation.Operands[1] with
                | ValueSome a, ValueSome b when a <> b ->
                    terms[index] <- SumOf(terms[a], terms[b])

                    for part in [ a; b ] do
                        terms[part] <- Nothing
                        merged[part] <- true
                | _ -> ())

        terms, merged

    /// Whether the equation sums exactly the last axes of its operand.
    let private sumsTrailing (program: Program) (equation: Equation) =
        match equation.Primitive with
        | :? Sum as sum ->
            let rank = (program.Signature equation.Operands[0]).Shape.Length
            sum.Axes = [| rank - sum.Axes.Length .. rank - 1 |]
        | _ -> false

    /// Equations in one tape. A tape keeps the addresses of all its operands on the stack, and a tile of each result
    /// that is still needed in the cache, so it must be short. Where a longer one is cut, a product and the sum that
    /// takes it may be rounded twice in place of once.
    let private longestTape = 1024

    /// For each equation the number of the last one in its tape. An equation joins the group of its users when all of
    /// them are in that one group, and there is room.
    let private groups (program: Program) (users: List<int>[]) (isOutput: bool[]) (fusible: int -> bool) : int[] =
        let equations = program.Equations
        let group = Array.init equations.Length id
        let sizes = Array.create equations.Length 1
        let shape index = program.Variables[equations[index].Results[0]].Shape

        for index in equations.Length - 1 .. -1 .. 0 do
            let result = equations[index].Results[0]

            if fusible index && not isOutput[result] && users[result].Count > 0 then
                let target = group[users[result][0]]
                let joins user = group[user] = target && fusible user && shape user = shape index

                if sizes[target] < longestTape && users[result] |> Seq.forall joins then
                    group[index] <- target
                    sizes[target] <- sizes[target] + 1
                elif users[result].Count = 1 && sumsTrailing program equations[users[result][0]] then
                    group[index] <- users[result][0]
                    sizes[target] <- sizes[target] + 1

        group

    /// The steps of a program, in an order in which each finds its operands computed.
    let steps (program: Program) : PlanStep[] =
        let equations = program.Equations
        let users, isOutput = uses program
        let terms, merged = productSums program users isOutput
        let fusible index = elementwise equations[index] && terms[index].IsNothing && not merged[index]
        let group = groups program users isOutput fusible
        let members = Dictionary<int, List<Equation>>()

        equations
        |> Array.iteri (fun index equation ->
            if fusible index then
                match members.TryGetValue group[index] with
                | true, list -> list.Add equation
                | _ -> members[group[index]] <- List [ equation ])

        [|
            for index in 0 .. equations.Length - 1 do
                let equation = equations[index]

                match terms[index], members.TryGetValue index with
                | _ when merged[index] -> ()
                | Nothing, (true, list) when elementwise equation -> Fused(list.ToArray(), ValueNone)
                | Nothing, (true, list) -> Fused(list.ToArray(), ValueSome equation)
                | Nothing, _ when fusible index -> ()
                | Nothing, _ -> Single equation
                | sum, _ -> Products(termsOf sum, equation.Results[0])
        |]
